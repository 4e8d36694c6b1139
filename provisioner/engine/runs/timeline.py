"""The timeline of a run, from its record: when each resource was worked on and waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.estimates.critical_path import (
    CriticalPath,
    DeleteStage,
    Stage,
    create_graph,
    critical_path,
    delete_graph,
)
from provisioner.engine.resource_graph.graph import Edge

Doc = Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """A period of a run: its start in seconds since the start of the run, its length, and what happened."""

    at: float
    seconds: float
    what: str
    about: str = ""


@dataclass(frozen=True)
class Bar:
    """One resource in a timeline.

    `work` lasts until AWS had created it or had begun to delete it, `wait` from then until it was ready or
    gone.
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

    @property
    def at(self) -> float:
        """The second at which the work on it began."""
        return self.work.at

    @property
    def seconds(self) -> float:
        """The seconds from its start to its end."""
        return self.wait.at + self.wait.seconds - self.work.at


@dataclass(frozen=True)
class Timeline:
    """The timeline of one run.

    `bars` are sorted by their start. `other_calls` are the calls that were made for no single resource.
    `critical_path` is
    the critical path: logical ids with seconds.
    """

    suffix: str
    command: str
    result: str
    start: float
    seconds: float
    bars: tuple[Bar, ...]
    other_calls: tuple[Span, ...] = field(metadata={"json": "others"})
    critical_path: tuple[tuple[str, float], ...] = field(default=(), metadata={"json": "chain"})

    @property
    def critical(self) -> float:
        """The seconds of the critical path."""
        return sum(seconds for _, seconds in self.critical_path)

    @property
    def efficiency(self) -> float:
        """The share of the critical path in the run's time; at 1, the run could not have been shorter."""
        return self.critical / self.seconds if self.seconds else 0.0

    @property
    def calls(self) -> int:
        """The number of calls."""
        return len(self.other_calls) + sum(len(bar.calls) for bar in self.bars)


def timeline_of(record: Doc) -> Timeline:
    """Return the timeline of the run that wrote this record."""
    logical_ids: Mapping[str, Doc] = record["nodes"]
    chain = dict(_chain(logical_ids))
    calls = [(call[3], Span(call[0], call[1], call[2], call[4])) for call in record["calls"]]
    bars = [_bar(name, doc, calls, chain) for name, doc in logical_ids.items() if _at(doc, "starting") is not None]
    return Timeline(
        record["suffix"],
        record["command"],
        record["result"],
        record["start"],
        record["seconds"],
        tuple(sorted(bars, key=lambda bar: (bar.at, bar.logical_id))),
        tuple(span for node, span in calls if node not in logical_ids),
        tuple(chain.items()),
    )


def _at(record: Doc, *whats: str) -> float | None:
    """Return the second of the first moment of one of these kinds, or None."""
    return next((moment[0] for moment in record["moments"] if moment[1] in whats), None)


def _marks(record: Doc) -> tuple[float, float, float]:
    """Return (start, middle, end) in seconds; in the middle, AWS had created it or begun to delete it."""
    start = _at(record, "starting") or 0.0
    last = max(moment[0] for moment in record["moments"])
    end = _at(record, "ready", "gone", "failed", "stopped") or last
    middle = _at(record, "exists", "going")
    return start, min(start if middle is None else middle, end), end


def _bar(name: str, record: Doc, calls: list[tuple[str, Span]], chain: Mapping[str, float]) -> Bar:
    start, middle, end = _marks(record)
    tries = tuple(Span(at, about[0], what, about[1]) for at, what, *about in record["moments"] if what == "retrying")
    return Bar(
        name,
        record["piece"],
        record["kind"],
        record["verb"],
        record["end"],
        Span(start, middle - start, "work"),
        Span(middle, end - middle, "wait"),
        tries,
        tuple(span for logical_id, span in calls if logical_id == name),
        name in chain,
    )


def _chain(logical_ids: Mapping[str, Doc]) -> Iterator[tuple[str, float]]:
    """Yield the critical path of the created resources, then that of the deleted ones, with seconds."""
    came = {name: record for name, record in logical_ids.items() if record["verb"] != "delete"}
    went = {name: record for name, record in logical_ids.items() if record["verb"] == "delete"}
    up: dict[Stage, float] = {}
    down: dict[DeleteStage, float] = {}
    for name, record in came.items():
        start, middle, end = _marks(record)
        up |= {Stage(name, "exists"): middle - start, Stage(name, "ready"): end - middle}
    for name, record in went.items():
        start, middle, end = _marks(record)
        down |= {DeleteStage(name, "going"): middle - start, DeleteStage(name, "gone"): end - middle}
    edges = {name: [Edge(*one) for one in _stages_needed(record)] for name, record in came.items()}
    depends_on = {name: list(record.get("needs", ())) for name, record in went.items()}
    beside = {name: record.get("beside", ()) for name, record in went.items()}
    yield from _by_node(critical_path(create_graph(edges), up), up)
    yield from _by_node(critical_path(delete_graph(depends_on, lambda name, other: other in beside[name]), down), down)


def _stages_needed(record: Doc) -> Iterator[tuple[str, bool]]:
    return ((name, what == "ready") for name, what in record.get("needs", {}).items())


def _by_node(chain: CriticalPath[Any], seconds: Mapping[Any, float]) -> Iterator[tuple[str, float]]:
    spent: dict[str, float] = {}
    for stage in chain.vertices:
        spent[stage.name] = spent.get(stage.name, 0.0) + seconds.get(stage, 0.0)
    yield from ((name, one) for name, one in spent.items() if one)
