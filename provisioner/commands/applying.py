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
from provisioner.engine.choice import Choice, begun, narrowed
from provisioner.engine.outputs import outputs_of
from provisioner.engine.plan import Plan
from provisioner.engine.record import Record
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
    choice: Choice = field(default_factory=Choice)
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
        made = _planned(session, wish)
        expect(record, session, made)
        record.plan = summary(made)
        if marker := session.marker(made):
            marker.refuse(made)
        with unless_anothers(session, made):
            _put_forward(say, session, made, wish)
        is_back = bool(session.document.teardown_began) and not made.whole
        if shown(made) or not session.is_known or is_back:
            run(say, session, made, record)
        elif not made.whole:
            session.document.outputs = outputs_of(made, made.docs)
        checked(say, session, made, started)
    show_outputs(say, session.document.outputs, "table")
    give(session.document.outputs, session.tell)
    return 0


def _put_forward(say: Say, session: Session, made: Plan, wish: Wish) -> None:
    """Show the plan, refuse what would fail, and ask for confirmation.

    Raises:
        Blocked: The plan may not be carried out.
        Declined: The person said no.

    """
    if made.refused:
        show_plan(say, made)
        raise refusal(made)
    if not shown(made):
        say.note(sentence(made))
        return
    told = forecast(session, made, checks=wish.checks)
    if not (say.quiet and wish.asking.yes):
        show_plan(say, made, told)
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
    made = begun(whole, narrowed(whole, session.document, wish.choice))
    if kept:
        check_changes(kept, session, made)
    return made


def run(say: Say, session: Session, made: Plan, record: Record) -> None:
    """Carry the plan out and show its progress; the first signal ends the run after the calls in flight."""
    pieces = {
        resource.logical_id: resource.step
        for resource in made.stack
        if made.changes[resource.logical_id].verb != "keep"
    }
    outlook = outlook_on(session, record, {name: made.changes[name].verb for name in pieces})
    with progress(say, pieces, outlook) as told, signals(say, session.clock) as caught:
        session.listen = both(record.hear, told)
        outcome = bring_up(session, made)
    finish(outcome, caught)
