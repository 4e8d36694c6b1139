"""Where a command acts, in words."""

from __future__ import annotations

import time

from provisioner.engine.plan import Plan
from provisioner.session import Session
from provisioner.terminal.say import Say


def header(say: Say, session: Session) -> None:
    """Where this acts, and who said so."""
    source = f" (region from {session.region_source})" if session.region_source else ""
    say.note(f"Stack {session.suffix} in {whereabouts(session)}{source}", "dim")


def whereabouts(session: Session) -> str:
    """Account, region and endpoint in words."""
    place = session.place
    box = session.aws.local
    endpoint = f"the embedded AWS at {box.endpoint}" if box else place.endpoint
    return f"account {place.account}, region {place.region}" + (f", {endpoint}" if endpoint else "")


def checked(say: Say, session: Session, made: Plan, started: float) -> None:
    """How much was looked at, with how many calls, in what time."""
    calls = session.aws.calls.counted.total()
    count = len(made.changes)
    say.note(f"{count} resources checked with {calls} calls in {time.monotonic() - started:.1f} s", "dim")
