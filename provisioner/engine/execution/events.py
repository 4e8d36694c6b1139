"""The events that a run reports while it runs, and the bus that passes them to everybody who subscribed."""

from __future__ import annotations

import logging
import threading
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

log = logging.getLogger(__name__)


class EventBus:
    """The one way of a run's events from the threads that work to the subscribers.

    A subscriber is called in the thread that publishes, so that it may ask which thread works on the resource. All
    subscribers get all events in the same order, one at a time, in the order in which they subscribed.

    A subscriber only reports: an exception of its own ends its subscription, not the run, and is logged by its type.
    """

    def __init__(self) -> None:
        self._subscribers: list[Listener] = []
        # Reentrant, as a subscriber may publish.
        self._lock = threading.RLock()

    def subscribe(self, *subscribers: Listener) -> None:
        """Pass each event from now on to these subscribers."""
        with self._lock:
            self._subscribers += subscribers

    def publish(self, event: Event) -> None:
        """Log an event and pass it to every subscriber; return when all of them have got it."""
        log.debug("%s %s %s %s after %.1f s", event.type, event.logical_id, event.action, event.id, event.seconds)
        with self._lock:
            for subscriber in self._subscribers.copy():
                try:
                    subscriber(event)
                except Exception as error:  # noqa: BLE001 - a display that fails must not end the work on AWS
                    self._subscribers.remove(subscriber)
                    log.warning("A subscriber failed with %s and gets no more events.", type(error).__name__)


def end_type_of(error: ProvisionerError) -> EventType:
    """Return the event for work that ended with this error: stopped by a signal, or failed."""
    return "stopped" if isinstance(error, Interrupted) else "failed"
