"""The critical path: the longest chain through a graph of stages that take time. No run can be shorter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Generic, Literal, NamedTuple, TypeVar

from provisioner.engine.graph import Edge

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
