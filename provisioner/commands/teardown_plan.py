"""`plan --destroy` and `teardown --dry-run`: what would be deleted, in which order, and what is lost."""

from __future__ import annotations

import time

from provisioner.commands.estimates import teardown_estimate
from provisioner.commands.plan_context import context_notes, print_checked_resources, print_header
from provisioner.commands.plan_report import PlanView
from provisioner.commands.stack_teardown import check_protections, read_blockers
from provisioner.engine.planning.teardown_plan import plan_teardown
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.teardown_run import find_protections, resources_to_delete
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
    print_checked_resources(console, session, plan, started)
    check_protections(session, plan, protected)
    return view.exit_code(changes=bool(deletion_plan.deletions))
