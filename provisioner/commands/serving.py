"""A service of the stack by the name that is typed, and a task of it that takes commands."""

from __future__ import annotations

import difflib

from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked, Incomplete, UsageError
from provisioner.resources.ecs.running import Running, serving
from provisioner.session import Session
from state.stack_state import ResourceState, StackState

_KIND, _MAIN = "Service", "api"
# The hint for local AWS, which has no containers.
LOCAL_ONLY = "Everything up to the session is rehearsed."


def services_of(state: StackState) -> dict[str, ResourceState]:
    """Return each service in the state by its name; the main one is `api`."""
    found = {
        name: resource_state for name, resource_state in state.resources.items() if resource_state.type_name == _KIND
    }
    return {
        name.partition(".")[2] or _MAIN: resource_state for name, resource_state in found.items() if "~" not in name
    }


def named(session: Session, name: str) -> ResourceState:
    """Return the state of the service of that name, or of the main one.

    Raises:
        Incomplete: The stack has no service yet.
        UsageError: The stack has no service of that name.

    """
    state = session.state
    services = services_of(state)
    if (resource_state := services.get(name or _MAIN)) and resource_state.id:
        return resource_state
    if not any(resource_state.id for resource_state in services.values()):
        again = session.options.workspace.command("apply", state.suffix)
        raise Incomplete(f"The stack {state.suffix} has no service yet.", f"`{again}` makes it.")
    near = difflib.get_close_matches(name, services, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(services)}."
    raise UsageError(f"The stack {state.suffix} has no service {name or _MAIN}.", hint)


def enterable_task(session: Session, service: str, task: str) -> Running:
    """Return a running task of the service that takes commands; its id begins with `task`.

    Raises:
        UsageError: No such task runs.
        Blocked: No task runs, or none takes commands.

    """
    resource_state = named(session, service)
    with user_errors(f"looking for a task of {resource_state.aws_name}"):
        found = serving(session.clients, resource_state.desired["cluster"], resource_state.aws_name)
    again = session.options.workspace.command("apply", session.suffix)
    if found is None:
        raise Blocked(f"The service {resource_state.aws_name} is not there.", f"`{again}` makes it again.")
    chosen = [one for one in found.tasks if one.id.startswith(task)]
    if task and not chosen:
        known = ", ".join(one.id for one in found.tasks) or "none"
        raise UsageError(f"No task {task} of {resource_state.aws_name} runs.", f"There are: {known}.")
    if not chosen:
        look = session.options.workspace.command("doctor", session.suffix)
        raise Blocked(f"No task of {resource_state.aws_name} runs.", f"`{look}` tells why, and what to type.")
    if not found.allows_entry:
        hard = session.settings.container.readonly_root
        writable = " --set container.readonly_root=false" if hard else ""
        raise Blocked(
            f"The tasks of {resource_state.aws_name} cannot be entered: ECS Exec is off.",
            f"`{again} --set service.exec=true{writable}` turns it on (and write it into your settings file)"
            ": the tasks are replaced.",
        )
    if ready := [one for one in chosen if one.is_open]:
        return ready[0]
    raise Blocked(
        f"No agent of ECS Exec runs in {', '.join(one.id for one in chosen)}.",
        "A task from before it was turned on has none, one that has just begun not yet: wait a minute, or "
        "replace the tasks.",
    )
