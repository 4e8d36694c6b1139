"""The releases of a service, as a person reads them and as a program does."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from provisioner.terminal.say import Say, table

_HEAD = ("", "revision", "image", "when", "by", "result")


@dataclass(frozen=True)
class Release:
    """One revision: its image, when it was last brought to the service, by whom, and how that ended."""

    revision: int
    arn: str
    image: str
    at: float | None
    by: str
    result: str
    runs: bool
    was_good: bool


def show_releases(say: Say, service: str, listed: Iterable[Release]) -> None:
    """A line a revision; a star is at the one that runs."""
    if say.as_json:
        say.record("releases", service=service, releases=[asdict(one) for one in listed])
        return
    for line in table((_row(one) for one in listed), _HEAD):
        say.data(line)


def _row(one: Release) -> tuple[str, ...]:
    at = "-" if one.at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.at))
    return ("*" if one.runs else "", str(one.revision), one.image, at, one.by or "-", one.result or "-")
