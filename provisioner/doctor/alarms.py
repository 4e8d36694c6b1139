"""The check of alarms: that nobody mutes them."""

from __future__ import annotations

from provisioner.doctor.finding import Finding, Recovered
from provisioner.doctor.reads.alarms import MutedAlarms

# How many alarms a finding names.
_MOST = 3


def alarms_are_not_muted(found: list[MutedAlarms]) -> Finding | None:
    """Check that no mute rule silences an alarm of the stack now.

    Raises:
        Over: A mute rule is not active yet, but will silence an alarm.

    """
    active = next((one for one in found if one.active), None)
    if active:
        end = f", and ends on {active.end:%Y-%m-%d %H:%M} UTC at the latest" if active.end else ""
        what = f"The CloudWatch mute rule {active.rule} silences {_named(active)} now{end}."
        why = "They ring and nobody is told: while such a rule is active, no action of an alarm is taken."
        which = f"--alarm-mute-rule-name {active.rule} --region {active.region}"
        command = f"aws cloudwatch delete-alarm-mute-rule {which}"
        return Finding("alarms-muted", what, why, command)
    if found:
        raise Recovered(f"heard now; the mute rule {found[0].rule} will silence {_named(found[0])}")
    return None


def _named(one: MutedAlarms) -> str:
    """Return the names of the alarms that a mute rule silences: the first ones, and how many more."""
    more = len(one.alarms) - _MOST
    return ", ".join(one.alarms[:_MOST]) + (f" and {more} more" if more > 0 else "")
