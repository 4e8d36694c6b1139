"""The services of a stack, by the names that `--service` takes; imports little, as completion needs them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from provisioner.errors import Incomplete, UsageError
from state.stack_state import ResourceState, StackState

if TYPE_CHECKING:
    from provisioner.session import Session

# The name of the service that every stack has; its logical id is bare, and those of others end with their names.
MAIN_SERVICE = "api"
_SERVICE_TYPE = "Service"


def services_of(state: StackState) -> dict[str, ResourceState]:
    """Map the name of each service in the state to its resource state, without deposed services."""
    return {
        logical_id.partition(".")[2] or MAIN_SERVICE: resource_state
        for logical_id, resource_state in state.resources.items()
        if resource_state.type_name == _SERVICE_TYPE and "~" not in logical_id
    }


def check_service_name(state: StackState, name: str) -> None:
    """Raise UsageError if the stack has no such service; "" means any."""
    services = services_of(state)
    if name and name not in services:
        similar = difflib.get_close_matches(name, services, n=1)
        hint = f"Did you mean {similar[0]}?" if similar else f"There are: {', '.join(services) or 'none yet'}."
        raise UsageError(f"The stack {state.suffix} has no service {name}.", hint)


def service_state(session: Session, name: str) -> ResourceState:
    """Return the state of the service of that name, or of the main one.

    Raises:
        Incomplete: AWS has not been seen to have the service yet.
        UsageError: The stack has no service of that name.

    """
    state = session.state
    services = services_of(state)
    if (resource_state := services.get(name or MAIN_SERVICE)) and resource_state.id:
        return resource_state
    if any(resource_state.id for resource_state in services.values()):
        check_service_name(state, name or MAIN_SERVICE)
    apply_command = session.options.workspace.command("apply", state.suffix)
    raise Incomplete(f"The stack {state.suffix} has no service yet.", f"`{apply_command}` makes it.")
