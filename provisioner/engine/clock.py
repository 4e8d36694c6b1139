"""Time, as the engine sees it: tests replace it, a signal cuts its sleeps short."""

from __future__ import annotations

import threading
import time


class Stopped(Exception):
    """A signal asked the run to end; raised out of a sleep, never out of a call."""


class Clock:
    """Real time; `stop` wakes every sleeper."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, as the ledger keeps them."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep; Stopped when the run is asked to end."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Ask the run to end."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end."""
        return self._stop.is_set()
