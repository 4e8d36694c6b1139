"""`drift`: what differs from the ledger in AWS."""

from __future__ import annotations

import time

from provisioner.commands.place import checked, header
from provisioner.session import Session
from provisioner.terminal.drift import show_drift
from provisioner.terminal.say import Say

DRIFT_PRESENT = 2


def drift(say: Say, session: Session, *, detailed: bool) -> int:
    """Show what was changed behind our back, and what apply would do about it."""
    header(say, session)
    started = time.monotonic()
    report, made = session.drift()
    show_drift(say, report)
    checked(say, session, made, started)
    return DRIFT_PRESENT if detailed and report.is_drifting else 0
