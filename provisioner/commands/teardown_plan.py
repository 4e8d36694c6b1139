"""A teardown before it begins: what would be deleted, in which order, what is lost, and what is in the way."""

from __future__ import annotations

import time

from provisioner.commands.estimates import teardown_estimate
from provisioner.commands.plan_context import context_notes, location_description, print_check_summary, print_header
from provisioner.commands.plan_report import PlanView
from provisioner.engine.planning.blocked_deletions import BlockedDeletion, blocked_deletions, blocker_notes
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import suspension_reason
from provisioner.engine.planning.teardown_plan import TeardownPlan, plan_teardown
from provisioner.errors import Blocked, amount
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.teardown_run import ProtectedResources, find_protections, resources_to_delete
from provisioner.terminal.console import Console
from provisioner.terminal.teardown_plan import print_teardown_plan


def show_teardown_plan(console: Console, session: Session, view: PlanView) -> int:
    """Show what a teardown would do; return the exit code.

    Raises:
        Blocked: A resource is protected, so that the teardown would be refused too.

    """
    print_header(console, session)
    started = time.monotonic()
    plan = context_notes(session, session.plan(teardown=True), teardown=True)
    deletion_plan = plan_teardown(plan, resources_to_delete(plan), RESOURCE_TYPES)
    protected = find_protections(session, plan)
    blockers = read_blockers(session, plan, protected)
    view.print_heading(console, session)
    print_teardown_plan(
        console, session.suffix, deletion_plan, plan.notes, teardown_estimate(session, plan, deletion_plan), blockers
    )
    others = len(plan.changes) - len(plan.found)
    subject = f"{amount(len(plan.found), 'resource')} checked, and {others} looked for that other settings declare,"
    print_check_summary(console, session, subject, started)
    check_protections(session, plan, protected)
    return view.exit_code(changes=bool(deletion_plan.deletions))


def next_command(session: Session, action: str) -> str:
    """Return the command to type next for this stack."""
    command = session.options.workspace.command(action, session.suffix)
    # Without a state that says in which region it is, the command must.
    return command if session.is_known else f"{command} --region {session.location.region}"


def read_blockers(session: Session, plan: Plan, protected: ProtectedResources) -> list[BlockedDeletion]:
    """Return what is not this stack's and will block the deletion of a part of it; the rest is deleted."""
    unknown = [
        BlockedDeletion(resource.logical_id, "protection", f"nobody knows whom: {resource.unknown_reason}")
        for resource in protected.hidden
        if resource.unknown_reason
    ]
    return blocked_deletions(plan, session.clients, RESOURCE_TYPES) + unknown


def print_blockers(console: Console, blockers: list[BlockedDeletion]) -> list[str]:
    """Say which deletions will be blocked, and what to do about each; return the hints."""
    hints = list(blocker_notes(blockers))
    for blocker in blockers:
        console.ask(f"! {blocker}")
    for hint in hints:
        console.ask(f"  {hint}")
    return hints


def print_deletions(console: Console, session: Session, deletion_plan: TeardownPlan) -> None:
    """Show what is deleted, grouped by step, and what is retained."""
    to_delete = [deletion for deletion in deletion_plan.in_order if not deletion.retention_reason]
    console.ask(
        f"These {len(to_delete)} of {session.suffix} in {location_description(session)} go, and all data in them:"
    )
    for step in dict.fromkeys(deletion.step for deletion in to_delete):
        names = ", ".join(deletion.logical_id for deletion in to_delete if deletion.step == step)
        console.ask(f"  {step}: {names}")
    for deletion in (deletion for deletion in deletion_plan.in_order if deletion.retention_reason):
        console.ask(f"= {deletion.step}/{deletion.logical_id} is left standing: {deletion.retention_reason}")


def check_protections(session: Session, plan: Plan, protected: ProtectedResources) -> None:
    """Raise Blocked, before anything is touched, if AWS would refuse to delete a resource later."""
    if names := protected.descriptions:
        raise Blocked(
            f"{', '.join(names)}: protected against deletion; nothing was touched. {_lost_data(plan)}",
            f"`{next_command(session, 'teardown')} --unprotect` takes the protection off, then removes the stack.",
        )


def _lost_data(plan: Plan) -> str:
    """Return which data would be lost, each on a line."""
    deletion_plan = plan_teardown(plan, resources_to_delete(plan), RESOURCE_TYPES)
    losses = "".join(
        f"\n  {deletion.logical_id}: {deletion.data_loss}" for deletion in deletion_plan.deletions if deletion.data_loss
    )
    return f"It would lose:{losses}" if losses else ""


def check_suspended(plan: Plan) -> None:
    """Raise Blocked, before anything is touched, if a suspended resource must be woken first."""
    resources = plan.stack.resources
    suspended = {
        name: suspension_reason(resources[name].type, actual, resources[name].actual_region)
        for name, actual in plan.actual.items()
        if name in resources
    }
    reasons = "; ".join(f"{name}: {reason}" for name, reason in suspended.items() if reason)
    if reasons:
        raise Blocked(f"{reasons}; nothing was touched.", "Wake it, wait until it is up, then run this again.")
