"""`plan`: what apply would do."""

from __future__ import annotations

import time

from provisioner.commands.circumstances import read_with
from provisioner.commands.place import checked, header
from provisioner.session import Session
from provisioner.terminal.plan import show_plan, shown
from provisioner.terminal.say import Say

CHANGES_PRESENT = 2


def plan(say: Say, session: Session, *, detailed: bool, among_others: bool = False) -> int:
    """Show what apply would do."""
    header(say, session)
    started = time.monotonic()
    made = read_with(session, session.plan())
    if among_others and not say.as_json:
        say.data(f"{session.suffix}:")
    show_plan(say, made)
    checked(say, session, made, started)
    return CHANGES_PRESENT if detailed and shown(made) else 0
