"""Messages about where a command acts, and how much it has read."""

from __future__ import annotations

import time

from provisioner.amounts import amount
from provisioner.engine.planning.plan import Plan
from provisioner.session import Session
from provisioner.terminal.plan import roles_told
from provisioner.terminal.say import Console


def print_header(console: Console, session: Session) -> None:
    """Say where this command acts, and which source named the region."""
    source = f" (region from {session.region_source})" if session.region_source else ""
    console.note(f"Stack {session.suffix} in {location_description(session)}{source}", "dim")


def location_description(session: Session) -> str:
    """Return the account, the region and the endpoint in words."""
    location = session.location
    box = session.aws.local
    endpoint = f"the embedded AWS at {box.endpoint}" if box else location.endpoint
    return f"account {location.account}, region {location.region}" + (f", {endpoint}" if endpoint else "")


def describe_checks(console: Console, session: Session, plan: Plan, started: float) -> None:
    """Say how many resources were checked, with how many calls, in what time; `status` counts the same."""
    roles = len(plan.roles)
    more = f" and {roles_told(roles)}" if roles else ""
    describe_count(console, session, f"{amount(len(plan.changes) - roles, 'resource')}{more} checked", started)


def describe_count(console: Console, session: Session, told: str, started: float) -> None:
    """Say what was checked, with how many calls, in what time, and what AWS throttled.

    `told` says what was checked, and how many; `started` is a time of the monotonic clock.
    """
    calls = session.aws.calls.counted.total()
    rates = session.aws.rates
    for service, times in sorted(rates.throttles.items()):
        waited = rates.waited.get(service, 0.0)
        often = amount(times, "time")
        console.note(f"AWS throttled {service} {often}; its calls were slowed down by {waited:.1f} s.", "dim")
    seconds = time.monotonic() - started
    console.note(f"{told} with {amount(calls, 'call')} in {seconds:.1f} s", "dim")
