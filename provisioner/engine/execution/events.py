"""The events that a run reports while it runs; the listener decides how to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from provisioner.errors import Interrupted
from state.errors import ProvisionerError

EventType = Literal[
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


# The events that end the work on a resource.
ENDS: tuple[EventType, ...] = ("ready", "gone", "kept", "failed", "stopped")


@dataclass(frozen=True)
class Event:
    """One event of a run; `seconds` is how long the action took so far, or how long a wait will last."""

    type: EventType
    logical_id: str = ""
    action: str = ""
    detail: str = ""
    seconds: float = 0.0
    id: str = ""


Listener = Callable[[Event], None]


def end_type_of(error: ProvisionerError) -> EventType:
    """Return the event for work that ended with this error: stopped by a signal, or failed."""
    return "stopped" if isinstance(error, Interrupted) else "failed"


def silent(_event: Event) -> None:
    """Ignore an event."""
