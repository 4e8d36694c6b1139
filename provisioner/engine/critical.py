"""The longest chain through a graph of steps that take time: no run can be shorter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Generic, Literal, NamedTuple, TypeVar

from provisioner.engine.graph import Edge

Step = TypeVar("Step", bound=Hashable)


class Stage(NamedTuple):
    """A node that exists, that is ready, or that is gone."""

    name: str
    what: Literal["exists", "ready", "gone"]


@dataclass(frozen=True)
class Chain(Generic[Step]):
    """Steps of which each waits for the one before it, and their seconds together."""

    steps: tuple[Step, ...]
    seconds: float


def longest(graph: Mapping[Step, Collection[Step]], seconds: Mapping[Step, float]) -> Chain[Step]:
    """The chain that takes longest; `graph` says what each step waits for, `seconds` how long it takes."""
    best: dict[Step, Chain[Step]] = {}
    for step in TopologicalSorter(graph).static_order():
        before = max(
            (best[other] for other in graph.get(step, ())),
            key=lambda chain: chain.seconds,
            default=Chain[Step]((), 0.0),
        )
        best[step] = Chain((*before.steps, step), before.seconds + seconds.get(step, 0.0))
    return max(best.values(), key=lambda chain: chain.seconds, default=Chain[Step]((), 0.0))


def stages(edges: Mapping[str, Iterable[Edge]]) -> dict[Stage, set[Stage]]:
    """What each stage of bringing nodes up waits for."""
    graph: dict[Stage, set[Stage]] = {}
    for name, needs in edges.items():
        exists = Stage(name, "exists")
        graph[exists] = {Stage(edge.to, "ready" if edge.ready else "exists") for edge in needs}
        graph[Stage(name, "ready")] = {exists}
    return graph


class End(NamedTuple):
    """A node whose end has begun, or that is gone."""

    name: str
    what: Literal["going", "gone"]


def ends(needs: Mapping[str, Iterable[str]], beside: Callable[[str, str], bool]) -> dict[End, set[End]]:
    """What each stage of taking nodes down waits for: that all who need it are gone.

    Where `beside(name, other)`, the end of `other`, which needs it, must only have begun.
    """
    graph: dict[End, set[End]] = {}
    for name, others in inverted(needs).items():
        graph[End(name, "going")] = {End(one, "going" if beside(name, one) else "gone") for one in others}
        graph[End(name, "gone")] = {End(name, "going")}
    return graph


def inverted(needs: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Each name with those that need it, and so go before it."""
    graph: dict[str, set[str]] = {name: set() for name in needs}
    for name, others in needs.items():
        for other in others:
            if other in graph:
                graph[other].add(name)
    return graph
