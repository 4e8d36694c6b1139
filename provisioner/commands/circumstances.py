"""Notes on a plan about a run that is under way, or a teardown that did not end."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import AT_WORK, UNCONFIRMED, Change
from provisioner.session import Session
from provisioner.settings.never import never_works


def context_notes(session: Session, plan: Plan, *, teardown: bool = False) -> Plan:
    """Add notes to the plan about its settings and the stack's last run, and return it."""
    if not teardown:
        plan.notes += never_works(session.settings)
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
