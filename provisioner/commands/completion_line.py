"""The last line of a command that changes something: what it did, in what time, with how many calls."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from provisioner.errors import amount
from provisioner.terminal.console import Console
from provisioner.terminal.estimate import format_elapsed

if TYPE_CHECKING:
    from provisioner.aws.connection import AwsConnection
    from provisioner.aws.rate_limits import RateLimiter


class Connected(Protocol):
    """What calls AWS by one connection: the session of a stack, or the bucket of a state."""

    @property
    def aws(self) -> AwsConnection:
        """The connection."""


@dataclass(frozen=True)
class CompletionLine:
    """The last line of a command. A command makes it when it begins: the time counts from then."""

    console: Console
    # None for a command that has called nothing.
    session: Connected | None
    command: str
    # By the monotonic clock.
    started: float = field(default_factory=time.monotonic, init=False)

    def print(self, result: str, color: str = "green") -> None:
        """Say what the command has changed, in a clause without an end, with the time and the calls it took."""
        count = 0
        if self.session:
            print_throttles(self.console, self.session.aws.rates)
            count = self.session.aws.calls.counts.total()
        calls, duration = amount(count, "call"), format_elapsed(time.monotonic() - self.started)
        self.console.note(f"{self.command} complete: {result} in {duration} ({calls}).", color)


def print_throttles(console: Console, rates: RateLimiter) -> None:
    """Say how often AWS throttled which service."""
    for service, times in sorted(rates.throttles.items()):
        waited = rates.waited.get(service, 0.0)
        times_in_words = amount(times, "time")
        console.note(f"AWS throttled {service} {times_in_words}; its calls were slowed down by {waited:.1f} s.", "dim")
