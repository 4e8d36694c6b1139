"""A scheduler that works through a dependency graph in parallel and starts each step once it can."""

from __future__ import annotations

import queue
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from typing import Any, Generic, TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)
ReportStage = Callable[[Vertex], None]
Work = Callable[[ReportStage[Vertex]], None]
# Threads mostly wait for AWS. This is more than the widest level of the largest stack needs.
WORKERS = 48


class DagExecutor(Generic[Vertex]):
    """One pass through a graph, which maps each step to the steps that it waits for.

    `begin(step)` returns the work that starts with a step, or None if another step's work reports it. Work
    runs in a thread, and reports each step that it has completed. A step that is never reported only holds
    back the steps that wait for it. Once `stopped()` is true, no further work is started.
    """

    def __init__(
        self,
        graph: Mapping[Vertex, set[Vertex]],
        begin: Callable[[Vertex], Work[Vertex] | None],
        *,
        stopped: Callable[[], bool] = lambda: False,
        workers: int = WORKERS,
    ) -> None:
        self._order: TopologicalSorter[Vertex] = TopologicalSorter(graph)
        self._order.prepare()
        self._begin = begin
        self._stopped = stopped
        self._pool = ThreadPoolExecutor(workers)
        self._told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._handed: set[Vertex] = set()
        self._running = 0
        self._fatal: BaseException | None = None
        self.done: set[Vertex] = set()

    def run(self) -> set[Vertex]:
        """Run until no work is left or can start, and return the completed steps.

        An exception of a work stops the start of further ones, and is raised at the end.
        """
        with self._pool:
            self._advance()
            while self._running:
                self._hear(*self._told.get())
                self._advance()
        if self._fatal:
            raise self._fatal
        return self.done

    def _advance(self) -> None:
        # A step may have been reported before its turn came: it is then marked as done at once.
        while steps := self._order.get_ready():
            for step in steps:
                self._handed.add(step)
                if step in self.done:
                    self._order.done(step)
                elif not (self._fatal or self._stopped()):
                    self._start(self._begin(step))

    def _start(self, work: Work[Vertex] | None) -> None:
        if work:
            self._running += 1
            self._pool.submit(self._carry_out, work)

    def _carry_out(self, work: Work[Vertex]) -> None:
        try:
            work(lambda step: self._told.put(("done", step)))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._told.put(("raised", error))
        finally:
            self._told.put(("ended", None))

    def _hear(self, what: str, value: Any) -> None:
        # "done": a step was completed. "raised": a work failed. "ended": a thread is free again.
        if what == "done":
            if value in self._handed and value not in self.done:
                self._order.done(value)
            self.done.add(value)
        elif what == "raised":
            self._fatal = self._fatal or value
        else:
            self._running -= 1
