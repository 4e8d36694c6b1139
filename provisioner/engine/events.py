"""What a run tells while it runs; whoever shows it decides how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from provisioner.errors import Interrupted, ProvisionerError

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
    "stopped",
    "skipped",
    "note",
    "gone",
    "kept",
]


# The words with which the work on a resource ends.
ENDS: tuple[What, ...] = ("ready", "gone", "kept", "failed", "stopped")


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


def end_of(error: ProvisionerError) -> What:
    """Return how work ended that `error` ended: a signal stopped it, or it failed."""
    return "stopped" if isinstance(error, Interrupted) else "failed"


def silent(_event: Event) -> None:
    """Listens, and says nothing."""
