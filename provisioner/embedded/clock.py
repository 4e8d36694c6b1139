"""The box's time: what AWS does later happens when the clock is next looked at, never in a thread."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

Act = Callable[[], object]


class Clock:
    """Wall-clock time plus what was advanced by hand; durations of AWS are scaled by the pace."""

    def __init__(self) -> None:
        self.pace = 0.0
        self._ahead = 0.0
        self._acts: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._present: float | None = None

    def now(self) -> float:
        """Seconds since the epoch; inside a due act, the moment it was due."""
        return self._present if self._present is not None else self._real()

    def _real(self) -> float:
        return time.time() + self._ahead

    def scaled(self, seconds: float) -> float:
        """How long something takes here that takes AWS `seconds`."""
        return seconds * self.pace

    def later(self, seconds: float, act: Act, at_least: float = 0.0) -> None:
        """Let `act` happen when AWS would have taken `seconds`; never sooner than `at_least` real ones."""
        due = self.now() + self.scaled(seconds)
        if at_least:
            # Whoever is behind has the time, too: else what is done again and again is never caught up with.
            due = max(due, self._real() + at_least)
        heapq.heappush(self._acts, (due, next(self._order), act))

    def catch_up(self) -> None:
        """Do, in order, all that is due by now, and what becomes due by that."""
        until = self.now()
        while self._acts and self._acts[0][0] <= until:
            self._present, _, act = heapq.heappop(self._acts)
            try:
                act()
            finally:
                self._present = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward by hand."""
        self._ahead += seconds

    def reset(self) -> None:
        """Forget what was to happen and come back to the present; the pace stays."""
        self._acts.clear()
        self._ahead = 0.0


clock = Clock()
