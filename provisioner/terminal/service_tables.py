"""Tables and lines of a service: its releases, the stack's outputs, the lines of its logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioner.resources.log_tail import MAIN_CONTAINER, LogLine
from provisioner.terminal.console import Console, table
from state.serialization import as_json

_COLORS = ("cyan", "green", "magenta", "yellow", "blue")
_SHORT = 8


class Lines:
    """A printer of log lines."""

    def __init__(self, console: Console) -> None:
        self._say = console
        self._colors: dict[str, str] = {}

    def show(self, line: LogLine) -> None:
        """Print one line with its time, service, container and task.

        The container is left out if it is the main one, and the task's id is shortened.
        """
        when = datetime.fromtimestamp(line.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
        service, task, container = line.service, line.task, line.container
        if self._say.as_json:
            said = {"service": service, "container": container, "task": task, "id": line.id}
            self._say.record("log", time=when, **said, message=line.text)
            return
        color = self._colors.setdefault(task, _COLORS[len(self._colors) % len(_COLORS)])
        who = service if container in ("", MAIN_CONTAINER) else f"{service}/{container}"
        head = self._say.paint(who if service == task else f"{who} {task[:_SHORT]}", color, sys.stdout)
        self._say.written(f"{when.replace('+00:00', 'Z')} {head} {line.text}")


_HEAD = ("", "revision", "image", "when", "by", "result")


@dataclass(frozen=True)
class Release:
    """One task definition revision of a service: image, and the last rollout of it.

    `at` is the wall-clock second of the rollout, `by` who started it, `result` how it ended. `runs` tells
    whether the service runs this revision now, `was_good` whether a rollout of it ever succeeded.
    """

    revision: int
    arn: str
    image: str
    at: float | None
    by: str
    result: str
    runs: bool
    was_good: bool


def show_releases(console: Console, service: str, listed: Iterable[Release]) -> None:
    """Print a line for each revision; a star marks the one that runs."""
    if console.as_json:
        console.record("releases", service=service, releases=[as_json(one) for one in listed])
        return
    for line in table((_row(one) for one in listed), _HEAD):
        console.data(line)


def _row(one: Release) -> tuple[str, ...]:
    """Return the cells of one revision."""
    at = "-" if one.at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.at))
    return ("*" if one.runs else "", str(one.revision), one.image, at, one.by or "-", one.result or "-")
