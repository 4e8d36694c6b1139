"""What a run tells while it runs; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

What = Literal[
    "reading",
    "starting",
    "exists",
    "going",
    "waiting",
    "asking",
    "ready",
    "retrying",
    "failed",
    "skipped",
    "note",
    "gone",
    "kept",
]


@dataclass(frozen=True)
class Event:
    """One thing that happened: to which node, doing what, after how many seconds of it."""

    what: What
    node: str = ""
    verb: str = ""
    detail: str = ""
    seconds: float = 0.0
    id: str = ""


Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listens, and says nothing."""
