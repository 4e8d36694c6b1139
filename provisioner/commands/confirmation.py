"""The confirmation that a person gives before something changes."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from provisioner.errors import Declined, UsageError, quoted
from provisioner.terminal.console import Console


@dataclass(frozen=True)
class Confirmation:
    """The way a command asks for confirmation: with --yes it does not ask, without a terminal it cannot."""

    yes: bool

    def confirm(self, console: Console, question: str, expected: str = "yes") -> None:
        """Ask a question, and return if the person types `expected`; with --yes, return at once.

        Raises:
            UsageError: There is no terminal to ask at.
            Declined: Something else was typed.

        """
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError("There is no terminal to ask at.", "Give --yes to go on without being asked.")
        console.ask(f"{question}\nType {expected}:")
        typed = sys.stdin.readline().strip()
        if typed != expected:
            raise Declined(f"Nothing was changed: you typed {quoted(typed)}, not {quoted(expected)}.")
