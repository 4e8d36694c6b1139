"""`apply`: plan, ask for confirmation, carry the plan out, print the outputs last."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioner.applied_settings import applied_settings
from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.estimates import plan_estimate
from provisioner.commands.output_files import set_job_outputs
from provisioner.commands.plan_context import (
    context_notes,
    location_description,
    print_header,
    raise_for_findings,
    refusal_error,
)
from provisioner.commands.run_recording import progress_estimate, record_plan, record_run
from provisioner.commands.saved_plan import SavedPlan
from provisioner.commands.saved_plan_checks import check_changes, check_inputs
from provisioner.commands.signals import handle_signals, raise_run_error
from provisioner.engine.execution.actual_states import outputs_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.selection import Selection, select, with_marker
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.exclusive_run import apply_exclusively, raise_if_other_run_began
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.outputs import show_outputs
from provisioner.terminal.plan import change_counts, completed_changes, plan_sentence, show_plan, shown_changes
from provisioner.terminal.progress import show_progress


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


def apply_stack(console: Console, session: Session, options: ApplyOptions) -> int:
    """Plan, ask for confirmation, carry the plan out and print the outputs last; return the exit code.

    A saved plan is carried out exactly as it was saved, or not at all.

    Raises:
        Blocked: The plan may not be carried out, or differs from the saved one.
        LockHeld: Another run is at work.

    """
    print_header(console, session)
    with session.locked("apply", options.lock_timeout), record_run(session, "apply") as recorder:
        completion = CompletionLine(console, session, "Apply")
        plan = _plan_selected(session, options)
        record_plan(recorder, plan)
        recorder.plan = change_counts(plan)
        if marker := session.marker(plan):
            marker.check_plan(plan)
        with raise_if_other_run_began(session, plan):
            _show_and_confirm(console, session, plan, options)
        is_after_teardown = bool(session.state.teardown_began) and not plan.unfiltered
        settings = applied_settings(session.given, session.settings, session.state.salt)
        if shown_changes(plan) or not session.is_known or is_after_teardown:
            if not plan.unfiltered:  # else only a part of the stack gets them
                session.state.settings = settings  # written with the first change: so that a killed run can be resumed
            execute_plan(console, session, plan, recorder)
        elif not plan.unfiltered:
            session.state.outputs = outputs_of(plan, plan.actual)
            session.state_manager().record_settings(settings)
    show_outputs(console, session.state.outputs, "table")
    set_job_outputs(session.state.outputs, session.warn)
    completion.print(completed_changes(change_counts(plan)))
    return 0


def _show_and_confirm(console: Console, session: Session, plan: Plan, options: ApplyOptions) -> None:
    """Show the plan, refuse what would fail, and ask for confirmation.

    Raises:
        Blocked: The plan may not be carried out.
        Declined: The person said no.

    """
    if plan.refused:
        show_plan(console, plan)
        raise refusal_error(plan)
    if not shown_changes(plan):
        console.note(plan_sentence(plan))
        return
    estimate = plan_estimate(session, plan, checks=options.checks)
    if not (console.quiet and options.confirmation.yes):
        show_plan(console, plan, estimate)
    raise_for_findings(estimate.findings)
    options.confirmation.confirm(console, f"Apply this to {session.suffix} in {location_description(session)}?")


def _plan_selected(session: Session, options: ApplyOptions) -> Plan:
    """Return the plan of the selected resources.

    Raises:
        Blocked: It differs from the saved plan.

    """
    saved_plan = options.saved_plan
    if saved_plan:
        check_inputs(saved_plan, session)
    whole = context_notes(session, session.plan())
    plan = with_marker(whole, select(whole, options.selection))
    if saved_plan:
        check_changes(saved_plan, session, plan)
    return plan


def execute_plan(console: Console, session: Session, plan: Plan, record: RunRecorder) -> None:
    """Carry the plan out and show its progress; the first signal ends the run after the calls in flight."""
    steps = {
        resource.logical_id: resource.step
        for resource in plan.stack
        if plan.changes[resource.logical_id].action != "keep"
    }
    estimate = progress_estimate(session, record, {name: plan.changes[name].action for name in steps})
    with (
        show_progress(console, steps, estimate) as progress_listener,
        handle_signals(console, session.clock) as caught_signals,
    ):
        session.events.subscribe(record.record_event, estimate.record_event, progress_listener)
        outcome = apply_exclusively(session, plan)
    raise_run_error(outcome, caught_signals)
