"""The clock of a run: it tells the time, sleeps, and wakes every sleeper when the run is to end."""

from __future__ import annotations

import threading
import time


class Stopped(Exception):
    """The request of a signal to end the run; raised out of a sleep, never out of a call."""


class Clock:
    """The real clock; `stop` wakes every sleeper. Tests replace it by one whose sleeps take no time."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> float:
        """Return the seconds of a clock that only goes forward."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970, as the state holds them."""
        return time.time()

    def moment(self) -> tuple[float, float]:
        """Return this moment by both clocks, for `since`."""
        return self.now(), self.wall()

    def since(self, moment: tuple[float, float]) -> float:
        """Return the seconds since a moment; the larger of two, as one clock stops in a machine's sleep."""
        return max(now - then for now, then in zip(self.moment(), moment, strict=True))

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds; raise Stopped when the run is asked to end."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Ask the run to end."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end."""
        return self._stop.is_set()
