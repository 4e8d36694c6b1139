"""A run as it went, from its record: when each step worked and waited, and its longest chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.critical import Chain, End, Stage, ends, longest, stages
from provisioner.engine.graph import Edge

Doc = Mapping[str, Any]


@dataclass(frozen=True)
class Span:
    """A stretch of time in seconds since the start of the run, and what it was."""

    at: float
    seconds: float
    what: str
    about: str = ""


@dataclass(frozen=True)
class Bar:
    """One node's part: `work` until AWS had made it or begun its end, then `wait` until that was done."""

    node: str
    piece: str
    kind: str
    verb: str
    end: str
    work: Span
    wait: Span
    tries: tuple[Span, ...]
    calls: tuple[Span, ...]
    is_critical: bool

    @property
    def at(self) -> float:
        """When it was started."""
        return self.work.at

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        return self.wait.at + self.wait.seconds - self.work.at


@dataclass(frozen=True)
class Timeline:
    """One run: its bars by their start, the calls that were made for no single node, the longest chain."""

    suffix: str
    command: str
    result: str
    start: float
    seconds: float
    bars: tuple[Bar, ...]
    others: tuple[Span, ...]
    chain: tuple[tuple[str, float], ...] = field(default=())

    @property
    def critical(self) -> float:
        """The seconds of the longest chain."""
        return sum(seconds for _, seconds in self.chain)

    @property
    def efficiency(self) -> float:
        """How much of the run's time its longest chain is; 1 where nothing could have been sooner."""
        return self.critical / self.seconds if self.seconds else 0.0

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.others) + sum(len(bar.calls) for bar in self.bars)


def timeline_of(record: Doc) -> Timeline:
    """The timeline of a run that has left this record."""
    nodes: Mapping[str, Doc] = record["nodes"]
    chain = dict(_chain(nodes))
    calls = [(call[3], Span(call[0], call[1], call[2], call[4])) for call in record["calls"]]
    bars = [_bar(name, doc, calls, chain) for name, doc in nodes.items() if _at(doc, "starting") is not None]
    return Timeline(
        record["suffix"],
        record["command"],
        record["result"],
        record["start"],
        record["seconds"],
        tuple(sorted(bars, key=lambda bar: (bar.at, bar.node))),
        tuple(span for node, span in calls if node not in nodes),
        tuple(chain.items()),
    )


def _at(doc: Doc, *whats: str) -> float | None:
    """When the first of these happened."""
    return next((moment[0] for moment in doc["moments"] if moment[1] in whats), None)


def _marks(doc: Doc) -> tuple[float, float, float]:
    """When it started, when AWS had made it or begun its end, when that was done."""
    start = _at(doc, "starting") or 0.0
    last = max(moment[0] for moment in doc["moments"])
    end = _at(doc, "ready", "gone", "failed", "stopped") or last
    middle = _at(doc, "exists", "going")
    return start, min(start if middle is None else middle, end), end


def _bar(name: str, doc: Doc, calls: list[tuple[str, Span]], chain: Mapping[str, float]) -> Bar:
    start, middle, end = _marks(doc)
    tries = tuple(
        Span(at, about[0], what, about[1]) for at, what, *about in doc["moments"] if what == "retrying"
    )
    return Bar(
        name,
        doc["piece"],
        doc["kind"],
        doc["verb"],
        doc["end"],
        Span(start, middle - start, "work"),
        Span(middle, end - middle, "wait"),
        tries,
        tuple(span for node, span in calls if node == name),
        name in chain,
    )


def _chain(nodes: Mapping[str, Doc]) -> Iterator[tuple[str, float]]:
    """The longest chain of what came up, then that of what went, node by node."""
    came = {name: doc for name, doc in nodes.items() if doc["verb"] != "delete"}
    went = {name: doc for name, doc in nodes.items() if doc["verb"] == "delete"}
    up: dict[Stage, float] = {}
    down: dict[End, float] = {}
    for name, doc in came.items():
        start, middle, end = _marks(doc)
        up |= {Stage(name, "exists"): middle - start, Stage(name, "ready"): end - middle}
    for name, doc in went.items():
        start, middle, end = _marks(doc)
        down |= {End(name, "going"): middle - start, End(name, "gone"): end - middle}
    edges = {name: [Edge(*one) for one in _stages_needed(doc)] for name, doc in came.items()}
    needs = {name: list(doc.get("needs", ())) for name, doc in went.items()}
    beside = {name: doc.get("beside", ()) for name, doc in went.items()}
    yield from _by_node(longest(stages(edges), up), up)
    yield from _by_node(longest(ends(needs, lambda name, other: other in beside[name]), down), down)


def _stages_needed(doc: Doc) -> Iterator[tuple[str, bool]]:
    return ((name, what == "ready") for name, what in doc.get("needs", {}).items())


def _by_node(chain: Chain[Any], seconds: Mapping[Any, float]) -> Iterator[tuple[str, float]]:
    spent: dict[str, float] = {}
    for stage in chain.steps:
        spent[stage.name] = spent.get(stage.name, 0.0) + seconds.get(stage, 0.0)
    yield from ((name, one) for name, one in spent.items() if one)
