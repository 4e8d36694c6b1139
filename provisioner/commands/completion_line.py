"""The last line of a command that changes something: what it did, in what time, with how many calls."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from provisioner.commands.plan_context import print_throttles
from provisioner.errors import amount
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.estimate import format_elapsed


@dataclass(frozen=True)
class CompletionLine:
    """The last line of a command. A command makes it when it begins: the time counts from then."""

    console: Console
    session: Session
    command: str
    # By the monotonic clock.
    started: float = field(default_factory=time.monotonic, init=False)

    def print(self, result: str, color: str = "green") -> None:
        """Say what the command has changed, in a clause without an end, with the time and the calls it took."""
        print_throttles(self.console, self.session)
        calls = amount(self.session.aws.calls.counts.total(), "call")
        duration = format_elapsed(time.monotonic() - self.started)
        self.console.note(f"{self.command} complete: {result} in {duration} ({calls}).", color)
