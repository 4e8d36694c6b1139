"""Output of log lines, with a colour for each task."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from provisioner.resources.log_events import MAIN, Line
from provisioner.terminal.say import Console

_COLORS = ("cyan", "green", "magenta", "yellow", "blue")
_SHORT = 8


class Lines:
    """A printer of log lines."""

    def __init__(self, console: Console) -> None:
        self._say = console
        self._colors: dict[str, str] = {}

    def show(self, line: Line) -> None:
        """Print one line with its time, service, container and task.

        The container is left out if it is the main one, and the task's id is shortened.
        """
        when = datetime.fromtimestamp(line.at / 1000, UTC).isoformat(timespec="milliseconds")
        service, task, container = line.service, line.task, line.container
        if self._say.as_json:
            said = {"service": service, "container": container, "task": task, "id": line.id}
            self._say.record("log", time=when, **said, message=line.text)
            return
        color = self._colors.setdefault(task, _COLORS[len(self._colors) % len(_COLORS)])
        who = service if container in ("", MAIN) else f"{service}/{container}"
        head = self._say.paint(who if service == task else f"{who} {task[:_SHORT]}", color, sys.stdout)
        self._say.written(f"{when.replace('+00:00', 'Z')} {head} {line.text}")
