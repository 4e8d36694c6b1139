"""Judgement on all that the state file tells of: that each stands, and works."""

from __future__ import annotations

from provisioner.doctor.asked.resources import Stands
from provisioner.doctor.finding import Finding

# So many are named; `status` names all.
_MOST = 3


def stand(found: list[Stands]) -> Finding | None:
    """Whether each resource is there and in a state in which it works."""
    amiss = [one for one in found if not one.how.is_healthy]
    if not amiss:
        return None
    told = ", ".join(f"{one.words} is {one.how.told}" for one in amiss[:_MOST])
    more = f", and {len(amiss) - _MOST} more are not healthy" if len(amiss) > _MOST else ""
    states = {one.how.state for one in amiss}
    # What a person halted takes no change: no apply mends anything before it is awake.
    command = next((one.wake for one in amiss if one.wake), "apply" if "gone" in states else "status")
    why = "What needs it does not work, or no longer as it was set up."
    if states == {"in progress"}:
        why = "AWS is still at work on it."
    return Finding("resource-not-healthy", f"{told}{more}.", why, command)
