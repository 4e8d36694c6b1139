"""Completions of a command line, from files of this machine; makes no call, and imports no boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from provisioner.commands.stack_services import MAIN_SERVICE, services_of
from provisioner.workspace import Workspace
from state.errors import ProvisionerError
from state.stack_state import StackState


@dataclass(frozen=True)
class Completion:
    """A word that can follow on the command line, and what it means."""

    text: str
    help: str = ""


def suffixes(options: Mapping[str, Any]) -> list[Completion]:
    """Return the stacks that are known here, then those of which only run records are left."""
    workspace = _workspace(options)
    existing = _suffixes_on_this_machine(workspace)
    removed = [name for name in workspace.runs.suffixes() if name not in existing]
    return [
        *map(Completion, existing),
        *(Completion(name, "gone" if not workspace.is_shared else "") for name in removed),
    ]


def addresses(options: Mapping[str, Any]) -> list[Completion]:
    """Return the steps and resources of the given stack, as its state knows them."""
    state = _state_on_this_machine(options)
    resource_states = state.resources if state else {}
    steps = dict.fromkeys(resource_state.step for resource_state in resource_states.values())
    resources = [
        Completion(f"{resource_state.step}/{name}", resource_state.type_name)
        for name, resource_state in resource_states.items()
    ]
    return [*(Completion(step, "step") for step in steps), *resources]


def resources(options: Mapping[str, Any]) -> list[Completion]:
    """Return the resources of the given stack by their own names."""
    state = _state_on_this_machine(options)
    return (
        [Completion(name, resource_state.type_name) for name, resource_state in state.resources.items()]
        if state
        else []
    )


def services(options: Mapping[str, Any]) -> list[Completion]:
    """Return the services of the given stack; the main one is called `api`."""
    state = _state_on_this_machine(options)
    services = services_of(state) if state else {}
    return [Completion(name, resource_state.aws_name) for name, resource_state in services.items()]


def cpu_units(_options: Mapping[str, Any]) -> list[Completion]:
    """Return the CPU units that a task of Fargate may have."""
    from provisioner.settings.container import FARGATE_MEMORY

    return [Completion(str(units), f"{units / 1024:g} vCPU") for units in FARGATE_MEMORY]


def memory_sizes(options: Mapping[str, Any]) -> list[Completion]:
    """Return the MiB that a task of Fargate may have, with the given CPU units if there are any."""
    from provisioner.settings.container import FARGATE_MEMORY

    cpu = options.get("cpu")
    sizes = {size for units, all_sizes in FARGATE_MEMORY.items() if cpu in (None, units) for size in all_sizes}
    return [Completion(str(size), f"{size / 1024:g} GiB") for size in sorted(sizes)]


def variables(options: Mapping[str, Any]) -> list[Completion]:
    """Return the variables of the given service's container, as the state has them."""
    state, service = _state_on_this_machine(options), options.get("service") or MAIN_SERVICE
    task = state.resources.get("task" if service == MAIN_SERVICE else f"task.{service}") if state else None
    containers = task.desired.get("containerDefinitions", []) if task else []
    names = {variable["name"] for container in containers for variable in container.get("environment", [])}
    return [Completion(f"{name}=", "variable") for name in sorted(names)]


def outputs(options: Mapping[str, Any]) -> list[Completion]:
    """Return the outputs of the given stack."""
    state = _state_on_this_machine(options)
    return [Completion(*output) for output in state.outputs.items()] if state else []


def runs(options: Mapping[str, Any]) -> list[Completion]:
    """Return `last`, `last~1` and the runs of the given stack, or of all stacks, newest first."""
    names = _workspace(options).runs.run_ids(options.get("suffix") or "*")
    return [*map(Completion, ("last", "last~1")), *(Completion(name.run, name.suffix) for name in names)]


def matching_completions(
    source: Callable[[Mapping[str, Any]], Iterable[Completion]], options: Any, prefix: str
) -> list[Completion]:
    """Return the words of `source` that begin with `prefix`; none if they cannot be read."""
    with suppress(ProvisionerError, OSError):
        return [word for word in source(options) if word.text.startswith(prefix)]
    return []


def _workspace(options: Mapping[str, Any]) -> Workspace:
    """Return the workspace that the options typed so far select."""
    return Workspace.here(
        local=bool(options.get("local")), state=options.get("state"), state_endpoint=options.get("state_endpoint")
    )


def _suffixes_on_this_machine(workspace: Workspace) -> list[str]:
    """Return the stacks with a state on this machine: completion does not wait for a bucket."""
    return [] if workspace.is_shared else workspace.suffixes()


def _state_on_this_machine(options: Mapping[str, Any]) -> StackState | None:
    """Return the state of the given stack, or of the only one; None if there is none on this machine."""
    workspace = _workspace(options)
    local_suffixes = _suffixes_on_this_machine(workspace)
    suffix = options.get("suffix") or (local_suffixes[0] if len(local_suffixes) == 1 else "")
    return workspace.load_state(suffix) if suffix in local_suffixes else None
