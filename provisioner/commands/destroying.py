"""`plan --destroy` and `teardown --dry-run`: what would be deleted, in which order, and what is lost."""

from __future__ import annotations

import time

from provisioner.commands.circumstances import read_with
from provisioner.commands.forecasting import forecast_end
from provisioner.commands.place import checked, header
from provisioner.commands.planning import Showing
from provisioner.commands.removing import holding, refuse_protected
from provisioner.engine.planning.teardown_plan import plan_teardown
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from provisioner.taking_down import protections, standing
from provisioner.terminal.ending import show_ending
from provisioner.terminal.say import Say


def show_end(say: Say, session: Session, showing: Showing) -> int:
    """Show what a teardown would do; return the exit code.

    Raises:
        Blocked: A resource is protected, so that the teardown would be refused too.

    """
    header(say, session)
    started = time.monotonic()
    plan = read_with(session, session.plan(ending=True), ending=True)
    teardown = plan_teardown(plan, session.document, standing(session, plan), RESOURCE_TYPES)
    found = protections(session, plan)
    held = holding(session, plan, found)
    showing.begin(say, session)
    show_ending(say, session.suffix, teardown, plan.notes, forecast_end(session, plan, teardown), held)
    checked(say, session, plan, started)
    refuse_protected(session, plan, found)
    return showing.code(changes=bool(teardown.deletions))
