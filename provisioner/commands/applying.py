"""`apply`: plan, ask for confirmation, carry the plan out, print the outputs last."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from provisioner.alone import unless_anothers
from provisioner.bringing_up import bring_up
from provisioner.commands.asking import Asking
from provisioner.commands.circumstances import read_with
from provisioner.commands.ending import finish, signals
from provisioner.commands.forecasting import forecast
from provisioner.commands.moved import check_changes, check_ground
from provisioner.commands.on_github import give
from provisioner.commands.place import checked, header, whereabouts
from provisioner.commands.recording import both, expect, outlook_on, recorded
from provisioner.commands.refusing import refusal, refuse_findings
from provisioner.commands.saved import SavedPlan
from provisioner.engine.execution.actual_states import outputs_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection, select, with_marker
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.session import Session
from provisioner.terminal.outputs import show_outputs
from provisioner.terminal.plan import sentence, show_plan, shown, summary
from provisioner.terminal.progress import progress
from provisioner.terminal.say import Say


@dataclass(frozen=True)
class Wish:
    """The options of an apply.

    `checks` says whether the plan is checked beforehand, `choice` which resources are selected, and `kept` is
    a saved plan, if one was given.
    """

    asking: Asking
    lock_timeout: float = 0.0
    checks: bool = True
    choice: Selection = field(default_factory=Selection)
    kept: SavedPlan | None = None


def apply(say: Say, session: Session, wish: Wish) -> int:
    """Plan, ask for confirmation, carry the plan out and print the outputs last; return the exit code.

    A saved plan is carried out exactly as it was saved, or not at all.

    Raises:
        Blocked: The plan may not be carried out, or differs from the saved one.
        LockHeld: Another run is at work.

    """
    header(say, session)
    with session.locked("apply", wish.lock_timeout), recorded(session, "apply") as record:
        started = time.monotonic()
        plan = _planned(session, wish)
        expect(record, session, plan)
        record.plan = summary(plan)
        if marker := session.marker(plan):
            marker.check_plan(plan)
        with unless_anothers(session, plan):
            _put_forward(say, session, plan, wish)
        is_back = bool(session.document.teardown_began) and not plan.unfiltered
        if shown(plan) or not session.is_known or is_back:
            run(say, session, plan, record)
        elif not plan.unfiltered:
            session.document.outputs = outputs_of(plan, plan.actual)
        checked(say, session, plan, started)
    show_outputs(say, session.document.outputs, "table")
    give(session.document.outputs, session.tell)
    return 0


def _put_forward(say: Say, session: Session, plan: Plan, wish: Wish) -> None:
    """Show the plan, refuse what would fail, and ask for confirmation.

    Raises:
        Blocked: The plan may not be carried out.
        Declined: The person said no.

    """
    if plan.refused:
        show_plan(say, plan)
        raise refusal(plan)
    if not shown(plan):
        say.note(sentence(plan))
        return
    told = forecast(session, plan, checks=wish.checks)
    if not (say.quiet and wish.asking.yes):
        show_plan(say, plan, told)
    refuse_findings(told.findings)
    wish.asking.confirm(say, f"Apply this to {session.suffix} in {whereabouts(session)}?")


def _planned(session: Session, wish: Wish) -> Plan:
    """Return the plan of the selected resources.

    Raises:
        Blocked: It differs from the saved plan.

    """
    kept = wish.kept
    if kept:
        check_ground(kept, session)
    whole = read_with(session, session.plan())
    plan = with_marker(whole, select(whole, session.document, wish.choice))
    if kept:
        check_changes(kept, session, plan)
    return plan


def run(say: Say, session: Session, plan: Plan, record: RunRecorder) -> None:
    """Carry the plan out and show its progress; the first signal ends the run after the calls in flight."""
    pieces = {
        resource.logical_id: resource.step
        for resource in plan.stack
        if plan.changes[resource.logical_id].action != "keep"
    }
    estimate = outlook_on(session, record, {name: plan.changes[name].action for name in pieces})
    with progress(say, pieces, estimate) as told, signals(say, session.clock) as caught:
        session.listen = both(record.hear, told)
        outcome = bring_up(session, plan)
    finish(outcome, caught)
