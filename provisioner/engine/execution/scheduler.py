"""A scheduler that works through a dependency graph in parallel and starts each step once it can."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)

Vertex = TypeVar("Vertex", bound=Hashable)
ReportStage = Callable[[Vertex], None]
Work = Callable[[ReportStage[Vertex]], None]
# Threads mostly wait for AWS. This is more than the widest level of the largest stack needs.
WORKERS = 48


class DagExecutor(Generic[Vertex]):
    """One pass through a graph, which maps each vertex to the vertices that it waits for.

    `begin(vertex)` returns the work that starts with a vertex, or None if another vertex's work reports it. Work
    runs in a thread, and reports each vertex that it has completed. A vertex that is never reported only holds
    back the vertices that wait for it. Once `stopped()` is true, no further work is started.
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
        self._reports: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._ready: set[Vertex] = set()
        self._running = 0
        self._error: BaseException | None = None
        self.done: set[Vertex] = set()

    def run(self) -> set[Vertex]:
        """Run until no work is left or can start, and return the completed vertices.

        An exception of a work stops the start of further ones, and is raised at the end.
        """
        with self._pool:
            self._start_ready()
            while self._running:
                self._handle_report(*self._reports.get())
                self._start_ready()
        if self._error:
            raise self._error
        return self.done

    def _start_ready(self) -> None:
        # A vertex may have been reported before its turn came: it is then marked as done at once.
        while vertices := self._order.get_ready():
            for vertex in vertices:
                self._ready.add(vertex)
                log.debug("%s may begin", vertex)
                if vertex in self.done:
                    self._order.done(vertex)
                elif not (self._error or self._stopped()):
                    self._submit(self._begin(vertex))

    def _submit(self, work: Work[Vertex] | None) -> None:
        if work:
            self._running += 1
            self._pool.submit(self._run_work, work)

    def _run_work(self, work: Work[Vertex]) -> None:
        """Run a work in a thread of the pool, and report each completed vertex, its error and its end."""
        try:
            work(lambda vertex: self._reports.put(("done", vertex)))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._reports.put(("raised", error))
        finally:
            self._reports.put(("ended", None))

    def _handle_report(self, report: str, value: Any) -> None:
        # "done": a vertex was completed. "raised": a work failed. "ended": a thread is free again.
        if report == "done":
            if value in self._ready and value not in self.done:
                self._order.done(value)
            self.done.add(value)
        elif report == "raised":
            self._error = self._error or value
        else:
            self._running -= 1


def run_in_parallel(graph: Mapping[Vertex, set[Vertex]], act: Callable[[Vertex], None], *, workers: int) -> None:
    """Call `act` for each vertex of the graph once, in parallel, after the vertices that it waits for.

    Raises:
        BaseException: The first exception of a call; no further call is started after it.

    """

    def begin(vertex: Vertex) -> Work[Vertex]:
        def work(report_stage: ReportStage[Vertex]) -> None:
            act(vertex)
            report_stage(vertex)

        return work

    DagExecutor(graph, begin, workers=workers).run()
