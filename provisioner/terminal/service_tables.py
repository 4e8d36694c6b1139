"""Output about a service: the lines of its logs, and the table of its releases."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioner.resources.log_tail import MAIN_CONTAINER, LogLine
from provisioner.terminal.console import Console
from provisioner.terminal.tables import Narrowing
from state.serialization import as_json

_COLORS = ("cyan", "green", "magenta", "yellow", "blue")
_SHORT_ID_LENGTH = 8


class LogPrinter:
    """A printer of log lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._colors: dict[str, str] = {}

    def print(self, line: LogLine) -> None:
        """Print one line with its time, service, container and task.

        The container is left out if it is the main one, and the task's id is shortened.
        """
        time_text = datetime.fromtimestamp(line.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
        service, task, container = line.service, line.task, line.container
        if self._console.as_json:
            fields = {"service": service, "container": container, "task": task, "id": line.id}
            self._console.record("log", time=time_text, **fields, message=line.text)
            return
        color = self._colors.setdefault(task, _COLORS[len(self._colors) % len(_COLORS)])
        source = service if container in ("", MAIN_CONTAINER) else f"{service}/{container}"
        prefix = self._console.paint(
            source if service == task else f"{source} {task[:_SHORT_ID_LENGTH]}", color, sys.stdout
        )
        self._console.container_line(f"{time_text.replace('+00:00', 'Z')} {prefix} {line.text}")


_NARROW = Narrowing(continued={"image": 20})
_RELEASE_HEADINGS = ("", "revision", "image", "when", "by", "result")


@dataclass(frozen=True)
class Release:
    """One task definition revision of a service: image, and the last rollout of it.

    `started_at` is the wall-clock second at which the rollout started, `result` how it ended. `is_running` tells
    whether the service runs this revision now, `has_succeeded` whether a rollout of it ever succeeded.
    """

    revision: int
    arn: str
    image: str
    started_at: float | None = field(metadata={"json": "at"})
    started_by: str = field(metadata={"json": "by"})
    result: str
    is_running: bool = field(metadata={"json": "runs"})
    has_succeeded: bool = field(metadata={"json": "was_good"})


def show_releases(console: Console, service: str, releases: Iterable[Release]) -> None:
    """Print a line for each revision; a star marks the one that runs."""
    if console.as_json:
        console.record("releases", service=service, releases=[as_json(release) for release in releases])
        return
    console.table((_release_row(release) for release in releases), _RELEASE_HEADINGS, _NARROW)


def _release_row(release: Release) -> tuple[str, ...]:
    """Return the cells of one revision."""
    started_at = (
        "-" if release.started_at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(release.started_at))
    )
    return (
        "*" if release.is_running else "",
        str(release.revision),
        release.image,
        started_at,
        release.started_by or "-",
        release.result or "-",
    )
