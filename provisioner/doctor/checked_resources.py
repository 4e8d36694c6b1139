"""All that the state file tells of: that each resource is there, and works."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import Finding, NotApplicable
from provisioner.engine.execution.managed_resource import read_recorded, with_status_reads
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.planner import resumed_by
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.resources import RESOURCE_TYPES

_AT_ONCE = 8


@dataclass(frozen=True)
class CheckedResource:
    """One resource in words, and its health."""

    words: str
    how: ResourceHealth
    # The command by which a person resumes or restores it; "" if none is needed.
    wake: str = ""


def resources(context: DoctorContext) -> list[CheckedResource]:
    """Return the health of each resource that a run recorded as ready.

    Raises:
        Unset: There is no state, or it has no such resource.

    """
    state = context.document
    resource_states = state.resources.items() if state else ()
    names = [
        name for name, one in resource_states if one.phase == "ready" and not RESOURCE_TYPES[one.type_name].account_wide
    ]
    if state is None or not names:
        raise NotApplicable("no state file tells of a resource")

    def ask(name: str) -> CheckedResource:
        managed = recorded_resource(state, name, RESOURCE_TYPES)
        resource_state = state.resources[name]
        doc = read_recorded(context.clients, managed, resource_state)
        how = health_of(
            managed.type, doc and with_status_reads(context.clients, managed, doc, resource_state.created_at)
        )
        wake = resumed_by(managed.type, doc, managed.region or context.region) if doc else ""
        return CheckedResource(f"{name} ({managed.description})", how, wake)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, names))


# How many resources a finding names; `status` names all.
_MOST = 3


def resources_are_healthy(found: list[CheckedResource]) -> Finding | None:
    """Check that each resource exists and is healthy."""
    amiss = [one for one in found if not one.how.is_healthy]
    if not amiss:
        return None
    told = ", ".join(f"{one.words} is {one.how.description}" for one in amiss[:_MOST])
    more = f", and {len(amiss) - _MOST} more are not healthy" if len(amiss) > _MOST else ""
    states = {one.how.status for one in amiss}
    # A resource that a person suspended accepts no change: no apply can repair it before it is resumed.
    command = next((one.wake for one in amiss if one.wake), "apply" if "gone" in states else "status")
    why = "What needs it does not work, or no longer as it was set up."
    if states == {"in progress"}:
        why = "AWS is still at work on it."
    return Finding("resource-not-healthy", f"{told}{more}.", why, command)
