"""The critical path through a graph of stages, and how long each stage took in earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from statistics import median
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from provisioner.engine.resource_graph.graph import Edge
from provisioner.engine.types.resource_type import ResourceType

Vertex = TypeVar("Vertex", bound=Hashable)


class Stage(NamedTuple):
    """The stage at which a resource exists, is ready, or is gone."""

    name: str
    what: Literal["exists", "ready", "gone"]


@dataclass(frozen=True)
class CriticalPath(Generic[Vertex]):
    """Stages that each wait for the one before, and the seconds that they take together."""

    vertices: tuple[Vertex, ...]
    seconds: float


def critical_path(graph: Mapping[Vertex, Collection[Vertex]], seconds: Mapping[Vertex, float]) -> CriticalPath[Vertex]:
    """Return the chain that takes longest; `graph` maps each stage to the stages that it waits for."""
    best: dict[Vertex, CriticalPath[Vertex]] = {}
    for step in TopologicalSorter(graph).static_order():
        before = max(
            (best[other] for other in graph.get(step, ())),
            key=lambda chain: chain.seconds,
            default=CriticalPath[Vertex]((), 0.0),
        )
        best[step] = CriticalPath((*before.vertices, step), before.seconds + seconds.get(step, 0.0))
    return max(best.values(), key=lambda chain: chain.seconds, default=CriticalPath[Vertex]((), 0.0))


def create_graph(edges: Mapping[str, Iterable[Edge]]) -> dict[Stage, set[Stage]]:
    """Return the graph of creating resources: each stage with the stages that it waits for."""
    graph: dict[Stage, set[Stage]] = {}
    for name, depends_on in edges.items():
        exists = Stage(name, "exists")
        graph[exists] = {Stage(edge.to, "ready" if edge.ready else "exists") for edge in depends_on}
        graph[Stage(name, "ready")] = {exists}
    return graph


class DeleteStage(NamedTuple):
    """The stage at which the deletion of a resource has begun, or at which it is gone."""

    name: str
    what: Literal["going", "gone"]


def delete_graph(
    depends_on: Mapping[str, Iterable[str]], beside: Callable[[str, str], bool]
) -> dict[DeleteStage, set[DeleteStage]]:
    """Return the graph of deleting resources: each stage with the stages that it waits for.

    A resource is deleted when all that need it are gone. Where `beside(name, other)` is true, the deletion of
    `other`, which needs `name`, must only have begun.
    """
    graph: dict[DeleteStage, set[DeleteStage]] = {}
    for name, others in inverted(depends_on).items():
        graph[DeleteStage(name, "going")] = {
            DeleteStage(one, "going" if beside(name, one) else "gone") for one in others
        }
        graph[DeleteStage(name, "gone")] = {DeleteStage(name, "going")}
    return graph


def inverted(depends_on: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Map each name to the names that need it, and that are therefore deleted before it."""
    graph: dict[str, set[str]] = {name: set() for name in depends_on}
    for name, others in depends_on.items():
        for other in others:
            if other in graph:
                graph[other].add(name)
    return graph


Doc = Mapping[str, Any]
What = Literal["exists", "ready", "gone"]
# The number of newest durations that count, by type, region, action and stage.
_NEWEST = 9


@dataclass
class DurationHistory:
    """Seconds that AWS took in earlier runs at one speed, the newest first."""

    speed: float = 1.0
    region: str = ""
    by_step: dict[tuple[str, str, str, What], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Doc], pace: float, region: str = "") -> DurationHistory:
        """Return the durations in records of runs, given newest first; records of another speed are left out.

        A resource that names no region is in `region`.
        """
        history = cls(pace, region)
        for record in records:
            if record.get("pace") == pace:
                for step in record.get("nodes", {}).values():
                    history._take(step)
        return history

    def _take(self, step: Doc) -> None:
        # Add the durations of one resource in one run.
        at = {what: when for when, what, *_ in step["moments"]}
        begun = at.get("starting")
        if begun is None:
            return
        since_when: dict[What, float] = {"exists": begun, "ready": at.get("exists", begun), "gone": begun}
        for what, since in since_when.items():
            if what in at:
                seconds = self.by_step.setdefault((step["kind"], step["region"], step["verb"], what), [])
                if len(seconds) < _NEWEST:
                    seconds.append(at[what] - since)

    def typical_seconds(self, resource_type: ResourceType, region: str, action: str, what: What) -> float:
        """Return the usual seconds until a resource exists, is ready after that, or is gone (`what`)."""
        known = self.known_seconds(resource_type, region, action, what)
        if known is not None:
            return known
        usual = {
            "exists": 0.0,
            "ready": resource_type.typical_create_seconds,
            "gone": resource_type.typical_delete_seconds,
        }
        return usual[what] * self.speed

    def known_seconds(self, resource_type: ResourceType, region: str, action: str, what: What) -> float | None:
        """Return the median seconds of earlier runs; None where no run did this."""
        seconds = self.by_step.get((str(resource_type), region or self.region, action, what))
        return median(seconds) if seconds else None
