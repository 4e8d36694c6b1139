"""`teardown`: show, ask, delete in reverse order, prove that nothing is left."""

from __future__ import annotations

import json
import time
from typing import Any

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.plan_context import location_description, print_check_summary, print_header
from provisioner.commands.run_recording import progress_estimate, record_plan, record_run
from provisioner.commands.signals import handle_signals, raise_run_error
from provisioner.commands.teardown_plan import (
    check_protections,
    check_suspended,
    next_command,
    print_blockers,
    print_deletions,
    read_blockers,
)
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.execution.teardown_verification import Remnant, VerificationReport
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.teardown_plan import plan_teardown
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import NoSuchStack, ResourcesRemain, amount
from provisioner.final_check import FinalSearch, search_for_remains, stack_by_name, verify_nothing_remains
from provisioner.location import check_account
from provisioner.names import PROGRAM
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.teardown_run import (
    ProtectedResources,
    delete_stack,
    expected_remnants,
    find_protections,
    resources_to_delete,
)
from provisioner.terminal.console import Console
from provisioner.terminal.progress import show_progress
from provisioner.workspace import Workspace, current_timestamp
from state.errors import StateError
from state.serialization import as_json, fields_from_json, validate_types
from state.stack_state import StackLocation, Tombstone


def tear_down_stack(
    console: Console, session: Session, confirmation: Confirmation, lock_timeout: float, *, unprotect: bool = False
) -> int:
    """Show what would be deleted, ask for the suffix, delete in reverse order, look for leftovers."""
    print_header(console, session)
    completion = CompletionLine(console, session, "Teardown")
    with session.locked("teardown", lock_timeout):
        with record_run(session, "teardown") as record:
            outcome, report = _delete_stack(console, session, confirmation, record, unprotect=unprotect)
        session.remove_state()
    print_deleted(console, session, outcome, report)
    completion.print(f"{record.plan['destroy']} destroyed")
    return 0


def _delete_stack(
    console: Console, session: Session, confirmation: Confirmation, record: RunRecorder, *, unprotect: bool
) -> tuple[Outcome, VerificationReport]:
    """Show what would be deleted, ask, delete, and check whether anything is left."""
    plan = session.plan(teardown=True)
    to_delete = resources_to_delete(plan)
    if not to_delete and not session.state.tombstones:
        session.remove_state()  # its state may hold nothing but account-wide roles
        raise NoSuchStack(
            f"There is nothing of the stack {session.suffix} in {location_description(session)}.",
            f"`{PROGRAM} list` shows the stacks that are known here.",
        )
    deletion_plan = plan_teardown(plan, to_delete, RESOURCE_TYPES)
    record_plan(record, plan)
    record.plan = {"destroy": sum(not deletion.retention_reason for deletion in deletion_plan.deletions)}
    if marker := session.marker(plan):
        marker.check_plan(plan)
    protected = find_protections(session, plan)
    if not unprotect:
        check_protections(session, plan, protected)
    check_suspended(plan)
    if not (console.quiet and confirmation.yes):
        print_deletions(console, session, deletion_plan)
    blocker_hints = print_blockers(console, read_blockers(session, plan, protected))
    confirmation.confirm(console, "Remove them?", session.suffix)
    outcome, search = _delete_with_progress(console, session, record, plan, protected, shown_lines=blocker_hints)
    return outcome, _verify_deletion(session, plan, outcome, search)


def _delete_with_progress(
    console: Console,
    session: Session,
    record: RunRecorder,
    plan: Plan,
    protected: ProtectedResources,
    *,
    shown_lines: list[str],
) -> tuple[Outcome, FinalSearch]:
    """Delete the stack, show and record the progress, and raise the error that this ended with, if any."""
    to_delete = set(resources_to_delete(plan))
    steps = {resource.logical_id: resource.step for resource in plan.stack if resource.logical_id in to_delete}
    estimate = progress_estimate(session, record, dict.fromkeys(steps, "delete"))
    with (
        show_progress(console, steps, estimate) as progress_listener,
        handle_signals(console, session.clock) as caught_signals,
    ):
        session.events.subscribe(record.record_event, estimate.record_event, progress_listener)
        outcome, search = delete_stack(session, plan, protected)
    raise_run_error(outcome, caught_signals, shown_lines=shown_lines)
    return outcome, search or search_for_remains(session, plan.stack)


def _verify_deletion(session: Session, plan: Plan, outcome: Outcome, search: FinalSearch) -> VerificationReport:
    """Check whether anything is left, and save the report.

    Raises:
        ResourcesRemain: Resources of the stack are still there.

    """
    report = verify_nothing_remains(session, plan.stack, search)
    _add_retained(report, plan, outcome)
    report_location = save_report(session, outcome, report)
    if report.remaining:
        raise remaining_error(session, report, f"The report is {report_location}.")
    return report


def _add_retained(report: VerificationReport, plan: Plan, outcome: Outcome) -> None:
    """Add to the report what the teardown left alone: it is not ours, or something that is left needs it."""
    report.kept += expected_remnants(plan)
    report.lingering += [Remnant("", resource_id, reason) for resource_id, reason in outcome.foreign.items()]
    reported = [remnant.reason for remnant in report.kept]
    report.lingering += [
        Remnant("", resource_id, f"kept for the sake of {dependent}")
        for resource_id, dependent in outcome.kept.items()
        if not any(dependent in reason for reason in reported)
    ]


def remaining_error(session: Session, report: VerificationReport, report_note: str) -> ResourcesRemain:
    """Return the error that lists what is still there."""
    lines = "\n".join(f"  {remnant.what} {remnant.id}: {remnant.reason}" for remnant in report.remaining)
    of_aws = sum(remnant.what not in RESOURCE_TYPES for remnant in report.remaining)
    made_by_aws = f" and {of_aws} that AWS made for it" if of_aws else ""
    count = f"{amount(len(report.remaining) - of_aws, 'resource')}{made_by_aws}"
    return ResourcesRemain(
        f"Still there of the stack {session.suffix}: {count}.\n{lines}",
        f"Run `{next_command(session, 'teardown')}` again. {report_note}".rstrip(),
    )


def verify_stack_is_gone(console: Console, session: Session) -> int:
    """Search once more without a state: by the ids in the last teardown's report, by names and by tags."""
    print_header(console, session)
    started = time.monotonic()
    last = last_report(session.options.workspace, session.suffix)
    if last and not session.is_known:
        check_account(session.location, last["place"]["account"])
        session.state.tombstones = last["deleted"]
    stack = stack_by_name(session)
    marker = session.marker_of(stack)
    search = search_for_remains(session, stack)
    if marker:
        marker.check_plan(search.plan)
    report = verify_nothing_remains(session, stack, search)
    if report.remaining:
        raise remaining_error(session, report, "")
    print_deleted(console, session, Outcome("verify-gone"), report)
    print_check_summary(console, session, f"{amount(report.asked, 'resource')} checked", started)
    return 0


def last_report(workspace: Workspace, suffix: str) -> dict[str, Any]:
    """Return the report of the stack's last teardown; empty if there is none."""
    reports = workspace.backend.reports(suffix)
    if not reports:
        return {}
    try:
        report = dict(json.loads(reports[-1].load() or b"{}"))
        validate_types(StackLocation(**fields_from_json(StackLocation, report["place"])))
        read = (fields_from_json(Tombstone, tombstone) for tombstone in report["deleted"])
        report["deleted"] = [validate_types(Tombstone(**fields)) for fields in read]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError(
            f"The report {reports[-1].description} cannot be read ({error}).",
            "It is only a report of what is gone: remove it, and run the same command again.",
        ) from error
    return report


def last_region(workspace: Workspace, suffix: str) -> str | None:
    """Return the region of the stack's last teardown; None if there is none, or the stack has a state."""
    report = None if workspace.load_state(suffix) else last_report(workspace, suffix)
    return str(report["place"]["region"]) if report else None


def save_report(session: Session, outcome: Outcome, report: VerificationReport) -> str:
    """Save the report of the last search beside the state; return where it is."""
    store = session.options.workspace.backend.report(session.suffix, current_timestamp())
    about = {
        "suffix": session.suffix,
        "place": as_json(session.location),
        "removed": outcome.done,
        "swept": outcome.cleaned_up,
        "deleted": [as_json(tombstone) for tombstone in session.state.tombstones],
    }
    store.save(json.dumps({**about, **report.as_dict()}, indent=1).encode())
    return store.description


def print_deleted(console: Console, session: Session, outcome: Outcome, report: VerificationReport) -> None:
    """Print what was deleted, and the proof that nothing is left."""
    if console.as_json:
        console.record("teardown", suffix=session.suffix, removed=outcome.done, **report.as_dict())
        return
    for id_ in outcome.cleaned_up:
        console.note(f"Swept up: {id_} (AWS had left it, or it was kept to go back to).")
    for remnant in report.kept:
        console.note(f"Kept: {remnant.reason}. End it yourself when it is of no more use.")
    for remnant in report.lingering:
        until = f", until {remnant.until.replace('+00:00', 'Z')}" if remnant.until else ""
        console.note(f"Left alone: {remnant.id} ({remnant.reason}{until}).")
    if n := len(outcome.done):
        console.text(f"The stack {session.suffix} is gone: {amount(n, 'resource')} in {outcome.seconds:.1f} s.")
    console.text(f"Verified empty: {amount(report.asked, 'id')} asked, {report.searches} searches.")
