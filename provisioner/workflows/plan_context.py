"""What a plan is read with: where the command acts, what was checked, and the stack's last run."""

from __future__ import annotations

import time
from dataclasses import replace

from provisioner.amounts import amount
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import AT_WORK, UNCONFIRMED, Change
from provisioner.session import Session
from provisioner.settings.ineffective import ineffective_settings
from provisioner.terminal.console import Console
from provisioner.terminal.plan import roles_told


def context_notes(session: Session, plan: Plan, *, teardown: bool = False) -> Plan:
    """Add notes to the plan about its settings and the stack's last run, and return it."""
    if not teardown:
        plan.notes += ineffective_settings(session.settings)
    if session.emulator_has_ended:
        left = "only its state file is left to remove" if teardown else "all of it is new"
        plan.notes.append(f"The local AWS that held {session.suffix} has ended, and the stack with it: {left}.")
    if session.is_busy:
        plan.notes.append(
            f"A run is under way: {session.previous_holder}. What follows is what it has not done yet, as of now."
        )
        plan.changes = {name: _in_hand(change) for name, change in plan.changes.items()}
    elif told := _unended(session, plan):
        plan.notes.append(told)
    marker = session.marker(plan)
    # Reading a whole stack takes time: another run, begun meanwhile, may have caused what blocks the plan.
    if marker and (other := marker.other(marker.read() if plan.refused else marker.actual_in(plan))):
        plan.notes.append(f"Another run is at work, with a state of its own: {other}.")
    return plan


def _in_hand(change: Change) -> Change:
    """Attribute a change that only waits for a resource to the run under way, which waits for it too."""
    if change.action == "finish" and change.reason in (AT_WORK, UNCONFIRMED):
        return replace(change, reason="the run under way waits for it")
    return change


def _unended(session: Session, plan: Plan) -> str:
    """Return a sentence about an interrupted teardown; "" if there was none."""
    resource_states, declared = session.state.resources, plan.stack.resources
    gone = {
        tombstone.logical_id for tombstone in session.state.tombstones if tombstone.logical_id in declared
    } - resource_states.keys()
    going = [
        name
        for name, resource_state in resource_states.items()
        if resource_state.phase == "deleting" and name in declared
    ]
    by_teardown = session.previous_holder is None or session.previous_holder.command == "teardown"
    if not session.state.teardown_began and not (by_teardown and (gone or going)):
        return ""
    again = session.options.workspace.command("teardown", session.suffix)
    return (
        f"A teardown did not end: {len(gone)} are gone, {len(going)} were going, "
        f"{len(resource_states) - len(going)} stand. `{again}` goes on with it; an apply brings them back."
    )


def print_header(console: Console, session: Session) -> None:
    """Say where this command acts, and which source named the region."""
    source = f" (region from {session.region_source})" if session.region_source else ""
    console.note(f"Stack {session.suffix} in {location_description(session)}{source}", "dim")


def location_description(session: Session) -> str:
    """Return the account, the region and the endpoint in words."""
    location = session.location
    emulator = session.aws.local
    endpoint = f"the embedded AWS at {emulator.endpoint}" if emulator else location.endpoint
    return f"account {location.account}, region {location.region}" + (f", {endpoint}" if endpoint else "")


def describe_checks(console: Console, session: Session, plan: Plan, started: float) -> None:
    """Say how many resources were checked, with how many calls, in what time; `status` counts the same."""
    roles = len(plan.roles)
    more = f" and {roles_told(roles)}" if roles else ""
    describe_count(console, session, f"{amount(len(plan.changes) - roles, 'resource')}{more} checked", started)


def describe_count(console: Console, session: Session, told: str, started: float) -> None:
    """Say what was checked, with how many calls, in what time, and what AWS throttled.

    `told` says what was checked, and how many; `started` is a time of the monotonic clock.
    """
    calls = session.aws.calls.counted.total()
    rates = session.aws.rates
    for service, times in sorted(rates.throttles.items()):
        waited = rates.waited.get(service, 0.0)
        often = amount(times, "time")
        console.note(f"AWS throttled {service} {often}; its calls were slowed down by {waited:.1f} s.", "dim")
    seconds = time.monotonic() - started
    console.note(f"{told} with {amount(calls, 'call')} in {seconds:.1f} s", "dim")
