"""The timeline of a run, from its record: when each resource was worked on and waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from provisioner.engine.estimates.critical_path import (
    DeleteStage,
    Stage,
    create_graph,
    critical_path,
    delete_graph,
    seconds_by_resource,
)
from provisioner.engine.resource_graph.graph import Edge
from provisioner.engine.runs.run import RUNNING, UNENDED, failure_reason

Doc = Mapping[str, Any]
# "" is the outcome of a resource that the run was at work on when its record was last written.
_FAILED_OUTCOMES = ("", "failed", "stopped")


@dataclass(frozen=True)
class Span:
    """A period of a run: its start in seconds since the start of the run, its length, and what happened."""

    start: float = field(metadata={"json": "at"})
    seconds: float
    label: str = field(metadata={"json": "what"})
    detail: str = field(default="", metadata={"json": "about"})


@dataclass(frozen=True)
class Bar:
    """One resource in a timeline.

    `work` lasts until AWS had created it or had begun to delete it, `wait` from then until it was ready or
    gone. One that did not end, in a run that was killed or is under way, has "" as its outcome. `reason` says why
    it failed or was stopped.
    """

    logical_id: str = field(metadata={"json": "node"})
    step: str = field(metadata={"json": "piece"})
    type_name: str = field(metadata={"json": "kind"})
    action: str = field(metadata={"json": "verb"})
    outcome: str = field(metadata={"json": "end"})
    work: Span
    wait: Span
    attempts: tuple[Span, ...] = field(metadata={"json": "tries"})
    calls: tuple[Span, ...]
    is_critical: bool
    reason: str = field(default="", metadata={"json": "why"})

    @property
    def start(self) -> float:
        """The second at which the work on it began."""
        return self.work.start

    @property
    def seconds(self) -> float:
        """The seconds from its start to its end."""
        return self.wait.start + self.wait.seconds - self.work.start

    @property
    def failed(self) -> bool:
        """Whether it failed, was stopped, or did not end."""
        return self.outcome in _FAILED_OUTCOMES


@dataclass(frozen=True)
class Timeline:
    """The timeline of one run.

    `bars` are sorted by their start. `other_calls` are the calls that were made for no single resource.
    `critical_path` holds logical ids with the seconds that each takes on it. `message` is the error of the run, or "".
    """

    suffix: str
    command: str
    result: str
    start: float
    seconds: float
    bars: tuple[Bar, ...]
    other_calls: tuple[Span, ...] = field(metadata={"json": "others"})
    critical_path: tuple[tuple[str, float], ...] = field(default=(), metadata={"json": "chain"})
    message: str = ""

    @property
    def critical_seconds(self) -> float:
        """The seconds of the critical path."""
        return sum(seconds for _, seconds in self.critical_path)

    @property
    def efficiency(self) -> float:
        """The share of the critical path in the run's time; at 1, the run could not have been shorter."""
        return self.critical_seconds / self.seconds if self.seconds else 0.0

    @property
    def calls(self) -> int:
        """The number of calls."""
        return len(self.other_calls) + sum(len(bar.calls) for bar in self.bars)


class Period(NamedTuple):
    """The seconds of a run at which a resource was started, at which it existed or was going, and at which it ended."""

    start: float
    middle: float
    end: float


def timeline_of(record: Doc) -> Timeline:
    """Return the timeline of the run that wrote this record."""
    records: Mapping[str, Doc] = record["nodes"]
    periods = {name: _period_of(resource, record["seconds"]) for name, resource in records.items()}
    critical = dict(_critical_path_of(records, periods))
    calls = [(call[3], Span(call[0], call[1], call[2], call[4])) for call in record["calls"]]
    bars = [
        _bar(name, resource, periods[name], calls, is_critical=name in critical)
        for name, resource in records.items()
        if _first_time(resource, "starting") is not None
    ]
    return Timeline(
        record["suffix"],
        record["command"],
        UNENDED if record["result"] == RUNNING else record["result"],
        record["start"],
        record["seconds"],
        tuple(sorted(bars, key=lambda bar: (bar.start, bar.logical_id))),
        tuple(span for logical_id, span in calls if logical_id not in records),
        tuple(critical.items()),
        record["message"],
    )


def _first_time(record: Doc, *events: str) -> float | None:
    """Return the second of the first of these events; None if the resource has none of them."""
    return next((event[0] for event in record["moments"] if event[1] in events), None)


def _period_of(record: Doc, run_seconds: float) -> Period:
    """Return when a resource was worked on and waited for; one that did not end lasts as long as the run."""
    start = _first_time(record, "starting") or 0.0
    last = max(event[0] for event in record["moments"])
    end = _first_time(record, "ready", "gone", "failed", "stopped")
    if end is None:
        end = last if record["end"] else max(last, run_seconds)
    middle = _first_time(record, "exists", "going")
    if middle is None:
        middle = end if record["end"] in _FAILED_OUTCOMES else start
    return Period(start, min(middle, end), end)


def _bar(name: str, record: Doc, period: Period, calls: list[tuple[str, Span]], *, is_critical: bool) -> Bar:
    """Return the bar of one resource, with the calls that were made for it."""
    start, middle, end = period
    attempts = tuple(
        Span(at, detail[0], event, detail[1]) for at, event, *detail in record["moments"] if event == "retrying"
    )
    return Bar(
        name,
        record["piece"],
        record["kind"],
        record["verb"],
        record["end"],
        Span(start, middle - start, "work"),
        Span(middle, end - middle, "wait"),
        attempts,
        tuple(span for logical_id, span in calls if logical_id == name),
        is_critical,
        failure_reason(record),
    )


def _critical_path_of(records: Mapping[str, Doc], periods: Mapping[str, Period]) -> Iterator[tuple[str, float]]:
    """Yield the critical path of the created resources, then that of the deleted ones, with seconds."""
    create_seconds: dict[Stage, float] = {}
    delete_seconds: dict[DeleteStage, float] = {}
    edges: dict[str, list[Edge]] = {}
    depends_on: dict[str, list[str]] = {}
    for name, record in records.items():
        start, middle, end = periods[name]
        dependencies: Mapping[str, str] = record.get("needs", {})
        if record["verb"] == "delete":
            delete_seconds |= {DeleteStage(name, "going"): middle - start, DeleteStage(name, "gone"): end - middle}
            depends_on[name] = list(dependencies)
        else:
            create_seconds |= {Stage(name, "exists"): middle - start, Stage(name, "ready"): end - middle}
            edges[name] = [Edge(other, milestone == "ready") for other, milestone in dependencies.items()]

    def may_overlap(name: str, dependent: str) -> bool:
        return dependent in records[name].get("beside", ())

    create_path = critical_path(create_graph(edges), create_seconds)
    delete_path = critical_path(delete_graph(depends_on, may_overlap), delete_seconds)
    for by_resource in (
        seconds_by_resource(create_path, create_seconds),
        seconds_by_resource(delete_path, delete_seconds),
    ):
        yield from ((name, seconds) for name, seconds in by_resource.items() if seconds)
