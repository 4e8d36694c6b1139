"""Asking a person before something changes."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from provisioner.errors import Declined, Interrupted, UsageError
from provisioner.terminal.say import Say


@dataclass(frozen=True)
class Asking:
    """How a command may ask: not at all with --yes, not without a terminal."""

    yes: bool

    def confirm(self, say: Say, question: str, wanted: str = "yes") -> None:
        """Go on only when `wanted` is typed; UsageError where nobody can type."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError("There is no terminal to ask at.", "Give --yes to go on without being asked.")
        try:
            say.ask(f"{question}\nType {wanted}:")
            typed = sys.stdin.readline().strip()
        except KeyboardInterrupt:
            raise Interrupted("Stopped at the question: nothing was changed.") from None
        if typed != wanted:
            raise Declined(f"Nothing was changed: you typed {typed!r}, not {wanted!r}.")
