"""The declared graph: nodes, and the edges that their refs draw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.kind import Kind
from provisioner.engine.refs import Doc, Ref, refs_in, unveiled
from provisioner.names import name_of, tags_of

NO_MARKS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Edge:
    """One node's need of another: that it exists, or that it is ready and why."""

    to: str
    ready: bool = False
    because: str = ""


@dataclass(frozen=True)
class Node:
    """One declared resource, its properties in AWS's own parameter names."""

    kind: Kind
    name: str
    aws_name: str
    piece: str
    props: Doc
    tags: Mapping[str, str]
    edges: tuple[Edge, ...]
    region: str = ""
    # Seconds that are waited for it, where the settings say so.
    patience: float | None = None

    @property
    def needs(self) -> list[str]:
        """The names of what it comes after, each once."""
        return list(dict.fromkeys(edge.to for edge in self.edges))


@dataclass(frozen=True)
class Handle:
    """A declared node in the hands of a step: mention it, and you depend on it."""

    name: str
    aws_name: str

    @property
    def id(self) -> Ref:
        """The id AWS gives it."""
        return Ref(self.name, "id")

    def __getitem__(self, path: str) -> Ref:
        return Ref(self.name, path)

    def ready(self, because: str) -> Edge:
        """An edge that waits until it is ready, and the reason why existence is not enough."""
        return Edge(self.name, ready=True, because=because)


@dataclass
class Stack:
    """All nodes of one suffix: built without AWS, so it can be drawn, tested, priced and compared."""

    suffix: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    # The node that is made before all others and goes last: AWS makes it only once. "" where there is none.
    marker: str = ""

    def piece(self, name: str) -> Piece:
        """The place where one step declares its nodes."""
        return Piece(self, name)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def after_marker(self) -> set[str]:
        """The names of all nodes that the marker comes before: all but itself and what it needs."""
        if self.marker not in self.nodes:
            return set()
        before, waiting = set(), [self.marker]
        while waiting:
            name = waiting.pop()
            before.add(name)
            waiting += [need for need in self.nodes[name].needs if need not in before]
        return self.nodes.keys() - before


@dataclass(frozen=True)
class Piece:
    """One step's part of the stack; calling it declares a node."""

    stack: Stack
    name: str

    def __call__(
        self,
        kind: type[Kind],
        name: str,
        *,
        noun: str = "",
        distinct: str = "",
        after: Iterable[Handle | Edge] = (),
        region: str = "",
        patience: float | None = None,
        marks: Mapping[str, str] = NO_MARKS,
        **props: Any,
    ) -> Handle:
        """Declare one resource and return the handle that others mention it by.

        `distinct` tells apart several of a noun whose kind does not do so by its properties; `marks` are
        tags beside the usual ones; `patience` is how long it is waited for, where the kind does not say.
        """
        if name in self.stack.nodes:
            raise ValueError(f"two nodes are called {name}")
        noun = noun or kind.noun
        aws_name = name_of(noun, self.stack.suffix, distinct or _distinct(kind, name, props)) if noun else ""
        if kind.named:
            props.setdefault(kind.named, aws_name)
        self.stack.nodes[name] = Node(
            kind=kind(),
            name=name,
            aws_name=aws_name,
            piece=self.name,
            props=props,
            tags={**self._tags(name, aws_name), **marks} if kind.tagged else {},
            edges=tuple(_edges(props, after)),
            region=region,
            patience=patience,
        )
        return Handle(name, aws_name)

    def _tags(self, name: str, aws_name: str) -> dict[str, str]:
        return tags_of(self.stack.suffix, self.stack.region, name, aws_name, self.stack.tags)


def _distinct(kind: type[Kind], name: str, props: Doc) -> str:
    if not kind.distinct:
        return ""
    told = {key: unveiled(props.get(key)) for key in kind.distinct}
    return json.dumps([name, told], sort_keys=True)


def _edges(props: Doc, after: Iterable[Handle | Edge]) -> Iterator[Edge]:
    for other in after:
        yield other if isinstance(other, Edge) else Edge(other.name)
    for name in dict.fromkeys(ref.node for ref in refs_in(props)):
        yield Edge(name)
