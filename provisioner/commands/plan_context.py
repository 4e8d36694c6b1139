"""What a plan is shown with: where it acts, what was checked, notes on the last run, and why it is refused."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from provisioner.applied_settings import describe_changes
from provisioner.commands.completion_line import print_throttles
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import AWS_IS_WORKING, NOT_YET_CONFIRMED
from provisioner.errors import Blocked, amount
from provisioner.preflight.finding import Finding
from provisioner.session import Session
from provisioner.settings.ineffective import ineffective_settings
from provisioner.terminal.console import Console
from provisioner.terminal.plan import describe_resources


def context_notes(session: Session, plan: Plan, *, teardown: bool = False) -> Plan:
    """Add notes to the plan about its settings and the stack's last run, and return it."""
    if not teardown:
        plan.notes += describe_changes(session.state.settings, session.given, session.settings, session.state.salt)
        plan.notes += ineffective_settings(session.settings)
    if session.emulator_has_ended:
        consequence = "only its state file is left to remove" if teardown else "all of it is new"
        plan.notes.append(f"The local AWS that held {session.suffix} has ended, and the stack with it: {consequence}.")
    if session.is_busy:
        plan.notes.append(
            f"A run is under way: {session.previous_holder}. What follows is what it has not done yet, as of now."
        )
        plan.changes = {name: _attribute_to_other_run(change) for name, change in plan.changes.items()}
    elif note := _unfinished_teardown_note(session, plan):
        plan.notes.append(note)
    marker = session.marker(plan)
    # Reading a whole stack takes time: another run, begun meanwhile, may have caused what blocks the plan.
    if marker and (other_run := marker.other(marker.read() if plan.refused else marker.actual_in(plan))):
        plan.notes.append(f"Another run is at work, with a state of its own: {other_run}.")
    return plan


def _attribute_to_other_run(change: Change) -> Change:
    """Attribute a change that only waits for a resource to the run under way, which waits for it too."""
    if change.action == "finish" and change.reason in (AWS_IS_WORKING, NOT_YET_CONFIRMED):
        return replace(change, reason="the run under way waits for it")
    return change


def _unfinished_teardown_note(session: Session, plan: Plan) -> str:
    """Return a sentence about an interrupted teardown; "" if there was none."""
    resource_states, declared = plan.state.resources, plan.stack.resources
    deleted = {
        tombstone.logical_id for tombstone in session.state.tombstones if tombstone.logical_id in declared
    } - resource_states.keys()
    being_deleted = [
        name
        for name, resource_state in resource_states.items()
        if resource_state.phase == "deleting" and name in declared
    ]
    is_by_teardown = session.previous_holder is None or session.previous_holder.command == "teardown"
    if not session.state.teardown_began and not (is_by_teardown and (deleted or being_deleted)):
        return ""
    command = session.options.workspace.command("teardown", session.suffix)
    return (
        f"A teardown did not end: {len(deleted)} are gone, {len(being_deleted)} were going, "
        f"{len(resource_states) - len(being_deleted)} stand. `{command}` goes on with it; an apply brings them back."
    )


def print_header(console: Console, session: Session) -> None:
    """Say where this command acts, which source named the region, and which settings file was read."""
    source = f" (region from {session.region_source})" if session.region_source else ""
    file = f"; settings from {session.settings_file}" if session.settings_file else ""
    console.note(f"Stack {session.suffix} in {location_description(session)}{source}{file}", "dim")


def location_description(session: Session) -> str:
    """Return the account, the region and the endpoint in words."""
    location = session.location
    emulator = session.aws.local
    endpoint = f"the local AWS at {emulator.endpoint}" if emulator else location.endpoint
    return location.description + (f", {endpoint}" if endpoint else "")


def print_checked_resources(console: Console, session: Session, plan: Plan, started: float) -> None:
    """Say how many resources were checked, with how many calls, in what time; `status` counts the same."""
    roles = len(plan.roles)
    subject = describe_resources(len(plan.changes) - roles, roles)
    print_check_summary(console, session, f"{subject} checked", started)


def print_check_summary(console: Console, session: Session, subject: str, started: float) -> None:
    """Say what was checked, with how many calls, in what time, and what AWS throttled.

    `subject` says what was checked, and how many; `started` is a time of the monotonic clock.
    """
    print_throttles(console, session.aws.rates)
    calls = session.aws.calls.counts.total()
    console.note(f"{subject} with {amount(calls, 'call')} in {time.monotonic() - started:.1f} s", "dim")


def refusal_error(plan: Plan) -> Blocked:
    """Return the error that names the changes in the way, and the way out of each."""
    reasons = "\n".join(
        f"  {' '.join(filter(None, dict.fromkeys((str(change.type_name), change.aws_name, change.id))))}"
        f": {change.reason}"
        for change in plan.refused
    )
    keep_hint = (
        "Set it back to what it was: what stands there is kept as it is. Or bring up a second stack with the "
        "new value (`--suffix OTHER`), move the data there, and take this one down."
    )
    foreign_hint = "Choose another suffix, or delete or rename what is somebody else's."
    hints = [change.remedy or (foreign_hint if change.foreign else keep_hint) for change in plan.refused]
    return Blocked(f"{len(plan.refused)} in the way; nothing was changed.\n{reasons}", "\n".join(dict.fromkeys(hints)))


def raise_for_findings(findings: Iterable[Finding]) -> None:
    """Raise Blocked if a check found what would fail; warnings pass."""
    blocking = [finding for finding in findings if finding.is_blocking]
    if blocking:
        reasons = "\n".join(f"  {finding.address}: {finding.problem}" for finding in blocking)
        hints = dict.fromkeys(finding.hint for finding in blocking if finding.hint)
        raise Blocked(
            f"{len(blocking)} found before the first call; nothing was changed.\n{reasons}",
            "\n".join([*hints, "To go on all the same, give --skip-preflight."]),
        )
