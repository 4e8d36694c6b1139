"""The resources in the state file: the read of their health, and the check that each exists and is healthy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from provisioner.doctor.check import Finding, NotApplicable
from provisioner.doctor.context import DoctorContext
from provisioner.engine.execution.managed_resource import read_recorded, with_status_reads
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.planner import resume_command
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.resources import RESOURCE_TYPES
from state.stack_state import StackState

_THREADS = 8
# How many resources a finding names; `status` names all.
_MAX_NAMED = 3


@dataclass(frozen=True)
class CheckedResource:
    """A resource, described for a person, and its health."""

    description: str
    health: ResourceHealth
    # The command by which a person resumes or restores it; "" if none is needed.
    resume_command: str = ""


def read_recorded_resources(context: DoctorContext) -> list[CheckedResource]:
    """Return the health of each resource that a run recorded as ready.

    Raises:
        NotApplicable: There is no state, or it has no such resource.

    """
    state = context.state
    if state is None or not (logical_ids := _ready_resources(state)):
        raise NotApplicable("no state file has a resource")
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(partial(_check_resource, context, state), logical_ids))


def _ready_resources(state: StackState) -> list[str]:
    """Return the logical ids of the resources that a run recorded as ready, without account-wide ones."""
    return [
        logical_id
        for logical_id, resource_state in state.resources.items()
        if resource_state.phase == "ready" and not RESOURCE_TYPES[resource_state.type_name].account_wide
    ]


def _check_resource(context: DoctorContext, state: StackState, logical_id: str) -> CheckedResource:
    """Read one resource, and return its health."""
    managed = recorded_resource(state, logical_id, RESOURCE_TYPES)
    resource_state = state.resources[logical_id]
    actual = read_recorded(context.clients, managed, resource_state)
    command = ""
    if actual:
        command = resume_command(managed.type, actual, managed.region or context.region)
        actual = with_status_reads(context.clients, managed, actual, resource_state.created_at)
    return CheckedResource(f"{logical_id} ({managed.description})", health_of(managed.type, actual), command)


def resources_are_healthy(resources: list[CheckedResource]) -> Finding | None:
    """Check that each resource exists and is healthy."""
    unhealthy = [resource for resource in resources if not resource.health.is_healthy]
    if not unhealthy:
        return None
    named = [f"{resource.description} is {resource.health.description}" for resource in unhealthy[:_MAX_NAMED]]
    problem = ", ".join(named)
    if len(unhealthy) > _MAX_NAMED:
        problem += f", and {len(unhealthy) - _MAX_NAMED} more are not healthy"
    statuses = {resource.health.status for resource in unhealthy}
    consequence = "What needs it does not work, or no longer as it was set up."
    if statuses == {"in progress"}:
        consequence = "AWS is still at work on it."
    command = "apply" if "gone" in statuses else "status"
    # A resource that a person suspended accepts no change: no apply can repair it before it is resumed.
    resume_commands = [resource.resume_command for resource in unhealthy if resource.resume_command]
    return Finding("resource-not-healthy", f"{problem}.", consequence, next(iter(resume_commands), command))
