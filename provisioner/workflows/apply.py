"""`apply`: plan, ask for confirmation, carry the plan out, print the outputs last."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from provisioner.engine.execution.actual_states import outputs_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection, select, with_marker
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.exclusive_run import bring_up, raise_if_other_run_began
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.outputs import show_outputs
from provisioner.terminal.plan import sentence, show_plan, shown, summary
from provisioner.terminal.progress import progress
from provisioner.workflows.confirmation import Confirmation
from provisioner.workflows.estimates import plan_estimate
from provisioner.workflows.output_files import give
from provisioner.workflows.plan_context import context_notes, describe_checks, location_description, print_header
from provisioner.workflows.plan_refusals import check_findings, refusal_error
from provisioner.workflows.run_recording import both_listeners, progress_estimate, record_plan, recorded
from provisioner.workflows.saved_plan import SavedPlan
from provisioner.workflows.saved_plan_checks import check_changes, check_inputs
from provisioner.workflows.signals import finish, signals


@dataclass(frozen=True)
class ApplyOptions:
    """The options of an apply.

    `checks` says whether the plan is checked beforehand, `selection` which resources are selected, and `saved_plan` is
    a saved plan, if one was given.
    """

    confirmation: Confirmation
    lock_timeout: float = 0.0
    checks: bool = True
    selection: Selection = field(default_factory=Selection)
    saved_plan: SavedPlan | None = None


def apply(console: Console, session: Session, options: ApplyOptions) -> int:
    """Plan, ask for confirmation, carry the plan out and print the outputs last; return the exit code.

    A saved plan is carried out exactly as it was saved, or not at all.

    Raises:
        Blocked: The plan may not be carried out, or differs from the saved one.
        LockHeld: Another run is at work.

    """
    print_header(console, session)
    with session.locked("apply", options.lock_timeout), recorded(session, "apply") as record:
        started = time.monotonic()
        plan = _planned(session, options)
        record_plan(record, session, plan)
        record.plan = summary(plan)
        if marker := session.marker(plan):
            marker.check_plan(plan)
        with raise_if_other_run_began(session, plan):
            _put_forward(console, session, plan, options)
        is_back = bool(session.state.teardown_began) and not plan.unfiltered
        if shown(plan) or not session.is_known or is_back:
            run(console, session, plan, record)
        elif not plan.unfiltered:
            session.state.outputs = outputs_of(plan, plan.actual)
        describe_checks(console, session, plan, started)
    show_outputs(console, session.state.outputs, "table")
    give(session.state.outputs, session.warn)
    return 0


def _put_forward(console: Console, session: Session, plan: Plan, options: ApplyOptions) -> None:
    """Show the plan, refuse what would fail, and ask for confirmation.

    Raises:
        Blocked: The plan may not be carried out.
        Declined: The person said no.

    """
    if plan.refused:
        show_plan(console, plan)
        raise refusal_error(plan)
    if not shown(plan):
        console.note(sentence(plan))
        return
    told = plan_estimate(session, plan, checks=options.checks)
    if not (console.quiet and options.confirmation.yes):
        show_plan(console, plan, told)
    check_findings(told.findings)
    options.confirmation.confirm(console, f"Apply this to {session.suffix} in {location_description(session)}?")


def _planned(session: Session, options: ApplyOptions) -> Plan:
    """Return the plan of the selected resources.

    Raises:
        Blocked: It differs from the saved plan.

    """
    kept = options.saved_plan
    if kept:
        check_inputs(kept, session)
    whole = context_notes(session, session.plan())
    plan = with_marker(whole, select(whole, session.state, options.selection))
    if kept:
        check_changes(kept, session, plan)
    return plan


def run(console: Console, session: Session, plan: Plan, record: RunRecorder) -> None:
    """Carry the plan out and show its progress; the first signal ends the run after the calls in flight."""
    pieces = {
        resource.logical_id: resource.step
        for resource in plan.stack
        if plan.changes[resource.logical_id].action != "keep"
    }
    estimate = progress_estimate(session, record, {name: plan.changes[name].action for name in pieces})
    with progress(console, pieces, estimate) as told, signals(console, session.clock) as caught:
        session.listener = both_listeners(record.hear, told)
        outcome = bring_up(session, plan)
    finish(outcome, caught)
