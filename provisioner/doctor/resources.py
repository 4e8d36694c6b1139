"""The check of all recorded resources: that each exists and is healthy."""

from __future__ import annotations

from provisioner.doctor.asked.resources import Stands
from provisioner.doctor.finding import Finding

# How many resources a finding names; `status` names all.
_MOST = 3


def stand(found: list[Stands]) -> Finding | None:
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
