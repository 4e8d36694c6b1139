"""`teardown`: show, ask, delete in reverse order, prove that nothing is left."""

from __future__ import annotations

import json
import textwrap
import time
from functools import partial
from typing import Any

from provisioner.amounts import amount
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.execution.verification import Remnant, VerificationReport
from provisioner.engine.planning.blocked_deletions import BlockedDeletion, blocked_deletions, notes_of
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import suspension_reason
from provisioner.engine.planning.teardown_plan import TeardownPlan, plan_teardown
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import Blocked, NoSuchStack, ResourcesRemain
from provisioner.location import check_account
from provisioner.names import PROGRAM
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.teardown_run import (
    ProtectedResources,
    leftovers_of_aws,
    protections,
    raise_if_begun_again,
    resources_to_delete,
    stack_by_name,
    take_down,
    verify_nothing_remains,
)
from provisioner.terminal.console import Console
from provisioner.terminal.progress import progress
from provisioner.workflows.confirmation import Confirmation
from provisioner.workflows.plan_context import describe_count, location_description, print_header
from provisioner.workflows.run_recording import both_listeners, progress_estimate, record_plan, recorded
from provisioner.workflows.signals import finish, signals
from provisioner.workspace import Workspace, stamp
from state.errors import StateError
from state.serialization import as_json, validate_types
from state.stack_state import StackLocation, Tombstone


def teardown(
    console: Console, session: Session, confirmation: Confirmation, lock_timeout: float, *, unprotect: bool = False
) -> int:
    """Show what would be deleted, ask for the suffix, delete in reverse order, look for leftovers."""
    print_header(console, session)
    started = time.monotonic()
    with session.locked("teardown", lock_timeout):
        with recorded(session, "teardown") as record:
            outcome, report = _remove(console, session, confirmation, record, unprotect=unprotect)
        session.close()
    show_deleted(console, session, outcome, report)
    describe_count(console, session, f"{amount(report.asked, 'resource')} checked", started)
    return 0


def _remove(
    console: Console, session: Session, confirmation: Confirmation, record: RunRecorder, *, unprotect: bool
) -> tuple[Outcome, VerificationReport]:
    """Show what would be deleted, ask, delete, and check whether anything is left."""
    plan = session.plan(teardown=True)
    going = resources_to_delete(session, plan)
    teardown = plan_teardown(plan, session.state, going, RESOURCE_TYPES)
    record_plan(record, session, plan)
    record.plan = {"destroy": sum(not one.retention_reason for one in teardown.deletions)}
    if not going and not session.state.tombstones:
        session.close()  # its state may hold nothing but account-wide roles
        raise NoSuchStack(
            f"There is nothing of the stack {session.suffix} in {location_description(session)}.",
            f"`{PROGRAM} list` shows the stacks that are known here.",
        )
    if marker := session.marker(plan):
        marker.check_plan(plan)
    found = protections(session, plan)
    if not unprotect:
        check_protections(session, plan, found)
    check_suspended(plan)
    if not (console.quiet and confirmation.yes):
        show_deletions(console, session, teardown)
    held = blocking_notes(session, plan, found)
    for line in [*(f"! {one}" for one in held), *(f"  {note}" for note in notes_of(held))]:
        console.ask(line)
    confirmation.confirm(console, "Remove them?", session.suffix)
    pieces = {resource.logical_id: resource.step for resource in plan.stack if resource.logical_id in going}
    estimate = progress_estimate(session, record, dict.fromkeys(pieces, "delete"))
    with progress(console, pieces, estimate) as told, signals(console, session.clock) as caught:
        session.listener = both_listeners(record.hear, told)
        outcome = take_down(session, plan, found)
    finish(outcome, caught, told=notes_of(held))
    report = verify_nothing_remains(session, plan.stack, partial(raise_if_begun_again, marker))
    report.kept += leftovers_of_aws(plan)
    report.lingering += [Remnant("", one, why) for one, why in outcome.foreign.items()]
    report.lingering += [
        Remnant("", one, f"kept for the sake of {why}")
        for one, why in outcome.kept.items()
        if not any(why in told.reason for told in report.kept)
    ]
    where = save_report(session, outcome, report)
    if report.remaining:
        raise remaining_error(session, report, f"The report is {where}.")
    return outcome, report


def next_command(session: Session, action: str) -> str:
    """Return the command to type next for this stack."""
    command = session.options.workspace.command(action, session.suffix)
    # Without a state that says in which region it is, the command must.
    return command if session.is_known else f"{command} --region {session.location.region}"


def blocking_notes(session: Session, plan: Plan, found: ProtectedResources) -> list[BlockedDeletion]:
    """Return what is not this stack's and will block the deletion of a part of it; the rest is deleted."""
    unknown = [
        BlockedDeletion(one.logical_id, "protection", f"nobody knows whom: {one.unknown_reason}")
        for one in found.untold
        if one.unknown_reason
    ]
    return blocked_deletions(plan, session.state, session.clients, RESOURCE_TYPES) + unknown


def show_deletions(console: Console, session: Session, teardown: TeardownPlan) -> None:
    """Show what is deleted, grouped by step, and what is retained."""
    going = [one for one in teardown.in_order if not one.retention_reason]
    console.ask(f"These {len(going)} of {session.suffix} in {location_description(session)} go, and all data in them:")
    for step in dict.fromkeys(one.step for one in going):
        words = ", ".join(one.logical_id for one in going if one.step == step)
        for line in textwrap.wrap(
            f"{step}: {words}",
            width=100,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        ):
            console.ask(line)
    for one in (one for one in teardown.in_order if one.retention_reason):
        console.ask(f"= {one.step}/{one.logical_id} is left standing: {one.retention_reason}")


def check_protections(session: Session, plan: Plan, found: ProtectedResources) -> None:
    """Raise Blocked, before anything is touched, if AWS would refuse to delete a resource later."""
    if names := found.words:
        raise Blocked(
            f"{', '.join(names)}: protected against deletion; nothing was touched. {_lost(session, plan)}",
            f"`{next_command(session, 'teardown')} --unprotect` takes the protection off, then removes the stack.",
        )


def _lost(session: Session, plan: Plan) -> str:
    """Return which data would be lost, each on a line."""
    teardown = plan_teardown(plan, session.state, resources_to_delete(session, plan), RESOURCE_TYPES)
    told = "".join(f"\n  {one.logical_id}: {one.data_loss}" for one in teardown.deletions if one.data_loss)
    return f"It would lose:{told}" if told else ""


def check_suspended(plan: Plan) -> None:
    """Raise Blocked, before anything is touched, if a suspended resource must be woken first."""
    resources = plan.stack.resources
    asleep = {
        name: suspension_reason(resources[name].type, doc, resources[name].lives_in)
        for name, doc in plan.actual.items()
        if name in resources
    }
    told = "; ".join(f"{name}: {why}" for name, why in asleep.items() if why)
    if told:
        raise Blocked(f"{told}; nothing was touched.", "Wake it, wait until it is up, then run this again.")


def remaining_error(session: Session, report: VerificationReport, where: str) -> ResourcesRemain:
    """Return the error that lists what is still there."""
    told = "\n".join(f"  {one.what} {one.id}: {one.reason}" for one in report.remaining)
    return ResourcesRemain(
        f"{len(report.remaining)} of the stack {session.suffix} remain:\n{told}",
        f"Run `{next_command(session, 'teardown')}` again. {where}".rstrip(),
    )


def verify_gone(console: Console, session: Session) -> int:
    """Search once more without a state: by the ids in the last teardown's report, by names and by tags."""
    print_header(console, session)
    started = time.monotonic()
    kept = last_report(session.options.workspace, session.suffix)
    if kept and not session.is_known:
        check_account(session.location, kept["place"]["account"])
        session.state.tombstones = kept["deleted"]
    stack = stack_by_name(session)
    marker = session.marker_of(stack)
    report = verify_nothing_remains(session, stack, marker.check_plan if marker else lambda _: None)
    if report.remaining:
        raise remaining_error(session, report, "")
    show_deleted(console, session, Outcome("verify-gone"), report)
    describe_count(console, session, f"{amount(report.asked, 'resource')} checked", started)
    return 0


def last_report(workspace: Workspace, suffix: str) -> dict[str, Any]:
    """Return the report of the stack's last teardown; empty if there is none."""
    reports = workspace.backend.reports(suffix)
    if not reports:
        return {}
    try:
        kept = dict(json.loads(reports[-1].load() or b"{}"))
        validate_types(StackLocation(**kept["place"]))
        kept["deleted"] = [validate_types(Tombstone(**stone)) for stone in kept["deleted"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError(
            f"The report {reports[-1].description} cannot be read ({error}).",
            "It is only a report of what is gone: remove it, and run the same command again.",
        ) from error
    return kept


def last_region(workspace: Workspace, suffix: str) -> str | None:
    """Return the region of the stack's last teardown; None if there is none, or the stack has a state."""
    kept = None if workspace.load_state(suffix) else last_report(workspace, suffix)
    return str(kept["place"]["region"]) if kept else None


def save_report(session: Session, outcome: Outcome, report: VerificationReport) -> str:
    """Save the report of the last search beside the state; return where it is."""
    store = session.options.workspace.backend.report(session.suffix, stamp())
    about = {
        "suffix": session.suffix,
        "place": as_json(session.location),
        "removed": outcome.done,
        "swept": outcome.cleaned_up,
        "deleted": [as_json(tombstone) for tombstone in session.state.tombstones],
    }
    store.save(json.dumps({**about, **report.as_dict()}, indent=1).encode())
    return store.description


def show_deleted(console: Console, session: Session, outcome: Outcome, report: VerificationReport) -> None:
    """Print what was deleted, and the proof that nothing is left."""
    if console.as_json:
        console.record("teardown", suffix=session.suffix, removed=outcome.done, **report.as_dict())
        return
    for id_ in outcome.cleaned_up:
        console.note(f"Swept up: {id_} (AWS had left it, or it was kept to go back to).")
    for one in report.kept:
        console.note(f"Kept: {one.reason}. End it yourself when it is of no more use.")
    for one in report.lingering:
        until = f", until {one.until.replace('+00:00', 'Z')}" if one.until else ""
        console.note(f"Left alone: {one.id} ({one.reason}{until}).")
    if n := len(outcome.done):
        console.data(f"The stack {session.suffix} is gone: {amount(n, 'resource')} in {outcome.seconds:.1f} s.")
    console.data(f"Verified empty: {amount(report.asked, 'id')} asked, {report.searches} searches.")
