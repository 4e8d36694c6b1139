"""Lines of logs, each task's in a colour of its own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from provisioner.terminal.say import Say

_COLORS = ("cyan", "green", "magenta", "yellow", "blue")
_SHORT = 8


class Lines:
    """Shows lines as they come."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._colors: dict[str, str] = {}

    def show(self, at: int, service: str, task: str, text: str, id_: str) -> None:
        """One line, of so many milliseconds since 1970; of the task's id the beginning tells it apart."""
        when = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
        if self._say.as_json:
            self._say.record("log", time=when, service=service, task=task, id=id_, message=text)
            return
        color = self._colors.setdefault(task, _COLORS[len(self._colors) % len(_COLORS)])
        head = self._say.paint(
            service if service == task else f"{service} {task[:_SHORT]}", color, sys.stdout
        )
        self._say.written(f"{when.replace('+00:00', 'Z')} {head} {text}")
