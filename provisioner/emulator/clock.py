"""The emulator's clock: scheduled changes run when the next call arrives, never in a thread of their own."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

Act = Callable[[], object]


class Clock:
    """Wall-clock time plus the seconds that were added by hand; AWS's durations are scaled by the speed."""

    def __init__(self) -> None:
        self.speed = 0.0
        self._ahead = 0.0
        self._acts: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._present: float | None = None

    def now(self) -> float:
        """Return the seconds since the epoch; inside a scheduled function, the time at which it was due."""
        return self._present if self._present is not None else self._real()

    def _real(self) -> float:
        """Return the wall-clock time plus the seconds added by hand."""
        return time.time() + self._ahead

    def scaled(self, seconds: float) -> float:
        """Return how long a process takes in the emulator that takes `seconds` in AWS."""
        return seconds * self.speed

    def later(self, seconds: float, act: Act, at_least: float = 0.0) -> None:
        """Schedule `act` for the time when AWS would have taken `seconds`.

        Args:
            seconds: AWS's duration, which is scaled by the speed.
            act: The function to run.
            at_least: Real seconds that pass in any case, at every speed.

        """
        due = self.now() + self.scaled(seconds)
        if at_least:
            # Counted from the real time, even if the clock is behind it. Otherwise `catch_up` would never
            # get to the end of an act that schedules itself again and again.
            due = max(due, self._real() + at_least)
        heapq.heappush(self._acts, (due, next(self._order), act))

    def catch_up(self) -> None:
        """Run, in order, everything that is due by now, and everything that becomes due through it."""
        until = self.now()
        while self._acts and self._acts[0][0] <= until:
            self._present, _, act = heapq.heappop(self._acts)
            try:
                act()
            finally:
                self._present = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._ahead += seconds

    def reset(self) -> None:
        """Drop everything that is scheduled and the seconds added by hand; the speed stays."""
        self._acts.clear()
        self._ahead = 0.0


clock = Clock()
