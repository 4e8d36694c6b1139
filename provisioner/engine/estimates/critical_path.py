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

    logical_id: str
    milestone: Literal["exists", "ready", "gone"]


@dataclass(frozen=True)
class CriticalPath(Generic[Vertex]):
    """Stages that each wait for the one before, and the seconds that they take together."""

    vertices: tuple[Vertex, ...]
    seconds: float


def critical_path(graph: Mapping[Vertex, Collection[Vertex]], seconds: Mapping[Vertex, float]) -> CriticalPath[Vertex]:
    """Return the chain that takes longest; `graph` maps each stage to the stages that it waits for."""
    longest_to: dict[Vertex, CriticalPath[Vertex]] = {}
    for vertex in TopologicalSorter(graph).static_order():
        previous = max(
            (longest_to[required] for required in graph.get(vertex, ())),
            key=lambda chain: chain.seconds,
            default=CriticalPath[Vertex]((), 0.0),
        )
        longest_to[vertex] = CriticalPath((*previous.vertices, vertex), previous.seconds + seconds.get(vertex, 0.0))
    return max(longest_to.values(), key=lambda chain: chain.seconds, default=CriticalPath[Vertex]((), 0.0))


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

    logical_id: str
    milestone: Literal["going", "gone"]


def delete_graph(
    depends_on: Mapping[str, Iterable[str]], may_overlap: Callable[[str, str], bool]
) -> dict[DeleteStage, set[DeleteStage]]:
    """Return the graph of deleting resources: each stage with the stages that it waits for.

    A resource is deleted when all that need it are gone. Where `may_overlap(name, other)` is true, the deletion of
    `other`, which needs `name`, must only have begun.
    """
    graph: dict[DeleteStage, set[DeleteStage]] = {}
    for name, dependents in dependents_of(depends_on).items():
        graph[DeleteStage(name, "going")] = {
            DeleteStage(dependent, "going" if may_overlap(name, dependent) else "gone") for dependent in dependents
        }
        graph[DeleteStage(name, "gone")] = {DeleteStage(name, "going")}
    return graph


def dependents_of(depends_on: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Map each name to the names that need it, and that are therefore deleted before it."""
    dependents: dict[str, set[str]] = {name: set() for name in depends_on}
    for name, dependencies in depends_on.items():
        for dependency in dependencies:
            if dependency in dependents:
                dependents[dependency].add(name)
    return dependents


AnyStage = TypeVar("AnyStage", Stage, DeleteStage)


def seconds_by_resource(path: CriticalPath[AnyStage], seconds: Mapping[AnyStage, float]) -> dict[str, float]:
    """Return the seconds that each resource takes on the critical path, by logical id."""
    by_resource: dict[str, float] = {}
    for stage in path.vertices:
        by_resource[stage.logical_id] = by_resource.get(stage.logical_id, 0.0) + seconds.get(stage, 0.0)
    return by_resource


Doc = Mapping[str, Any]
Milestone = Literal["exists", "ready", "gone"]
# The number of newest durations that count, by type, region, action and stage.
_MAX_SAMPLES = 9


@dataclass
class DurationHistory:
    """Seconds that AWS took in earlier runs at one speed, the newest first."""

    speed: float = 1.0
    region: str = ""
    samples: dict[tuple[str, str, str, Milestone], list[float]] = field(default_factory=dict)

    @classmethod
    def from_records(cls, records: Iterable[Doc], speed: float, region: str = "") -> DurationHistory:
        """Return the durations in records of runs, given newest first; records of another speed are left out.

        A resource that names no region is in `region`.
        """
        history = cls(speed, region)
        for record in records:
            if record.get("pace") == speed:
                for resource in record.get("nodes", {}).values():
                    history._add_resource(resource)
        return history

    def _add_resource(self, resource: Doc) -> None:
        """Add the durations of one resource in one run."""
        reached_at = {milestone: when for when, milestone, *_ in resource["moments"]}
        started_at = reached_at.get("starting")
        if started_at is None:
            return
        began_at: dict[Milestone, float] = {
            "exists": started_at,
            "ready": reached_at.get("exists", started_at),
            "gone": started_at,
        }
        for milestone, milestone_start in began_at.items():
            if milestone in reached_at:
                key = (resource["kind"], resource["region"], resource["verb"], milestone)
                samples = self.samples.setdefault(key, [])
                if len(samples) < _MAX_SAMPLES:
                    samples.append(reached_at[milestone] - milestone_start)

    def typical_seconds(self, resource_type: ResourceType, region: str, action: str, milestone: Milestone) -> float:
        """Return the usual seconds until a resource exists, is ready after that, or is gone (`milestone`)."""
        measured = self.measured_seconds(resource_type, region, action, milestone)
        if measured is not None:
            return measured
        declared = {
            "exists": 0.0,
            "ready": resource_type.typical_create_seconds,
            "gone": resource_type.typical_delete_seconds,
        }
        return declared[milestone] * self.speed

    def measured_seconds(
        self, resource_type: ResourceType, region: str, action: str, milestone: Milestone
    ) -> float | None:
        """Return the median seconds of earlier runs; None where no run did this."""
        seconds = self.samples.get((str(resource_type), region or self.region, action, milestone))
        return median(seconds) if seconds else None
