"""Output of the releases of a service, as text and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from provisioner.terminal.say import Console, table
from state.serialization import as_json

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
