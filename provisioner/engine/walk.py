"""Works through a graph in parallel: what has all it waits for is started, and nothing waits for more."""

from __future__ import annotations

import queue
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from typing import Any, Generic, TypeVar

Step = TypeVar("Step", bound=Hashable)
Tell = Callable[[Step], None]
Work = Callable[[Tell[Step]], None]
# Threads mostly wait for AWS; the widest level of the largest stack is smaller than this.
WORKERS = 48


class Walk(Generic[Step]):
    """One pass over a graph of steps.

    `begin(step)` gives the work that starts with a step, or None where another step's work tells when
    it is done. Work runs in a thread and tells each step it has brought about; a step that is never told
    holds back only what comes after it.
    """

    def __init__(
        self,
        graph: Mapping[Step, set[Step]],
        begin: Callable[[Step], Work[Step] | None],
        *,
        stopped: Callable[[], bool] = lambda: False,
        workers: int = WORKERS,
    ) -> None:
        self._order: TopologicalSorter[Step] = TopologicalSorter(graph)
        self._order.prepare()
        self._begin = begin
        self._stopped = stopped
        self._pool = ThreadPoolExecutor(workers)
        self._told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._handed: set[Step] = set()
        self._running = 0
        self._fatal: BaseException | None = None
        self.done: set[Step] = set()

    def run(self) -> set[Step]:
        """Walk until nothing runs and nothing can start; what was done. Raises what a work raised."""
        with self._pool:
            self._advance()
            while self._running:
                self._hear(*self._told.get())
                self._advance()
        if self._fatal:
            raise self._fatal
        return self.done

    def _advance(self) -> None:
        while steps := self._order.get_ready():
            for step in steps:
                self._handed.add(step)
                if step in self.done:
                    self._order.done(step)
                elif not (self._fatal or self._stopped()):
                    self._start(self._begin(step))

    def _start(self, work: Work[Step] | None) -> None:
        if work:
            self._running += 1
            self._pool.submit(self._carry_out, work)

    def _carry_out(self, work: Work[Step]) -> None:
        try:
            work(lambda step: self._told.put(("done", step)))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._told.put(("raised", error))
        finally:
            self._told.put(("ended", None))

    def _hear(self, what: str, value: Any) -> None:
        if what == "done":
            if value in self._handed and value not in self.done:
                self._order.done(value)
            self.done.add(value)
        elif what == "raised":
            self._fatal = self._fatal or value
        else:
            self._running -= 1
