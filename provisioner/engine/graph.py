"""The declared graph: resources, and the edges that their refs draw."""

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
    """A dependency on another resource, which must exist, or must be ready for the reason given."""

    to: str
    ready: bool = False
    because: str = ""


@dataclass(frozen=True)
class Node:
    """One declared resource, with its properties in AWS's own parameter names."""

    kind: Kind
    name: str
    aws_name: str
    piece: str
    props: Doc
    tags: Mapping[str, str]
    edges: tuple[Edge, ...]
    # The region it was declared for; "" for the stack's.
    region: str = ""
    # The region it is in, whichever it was declared for.
    lives_in: str = ""
    # The timeout in seconds, where the settings give one.
    patience: float | None = None

    @property
    def needs(self) -> list[str]:
        """The names of the resources that it depends on, each once."""
        return list(dict.fromkeys(edge.to for edge in self.edges))


@dataclass(frozen=True)
class Handle:
    """A declared resource as steps pass it on: a resource whose properties mention it depends on it."""

    name: str
    aws_name: str

    @property
    def id(self) -> Ref:
        """The id that AWS gives the resource."""
        return Ref(self.name, "id")

    def __getitem__(self, path: str) -> Ref:
        return Ref(self.name, path)

    def ready(self, because: str) -> Edge:
        """Return an edge that waits until the resource is ready, and why existing is not enough."""
        return Edge(self.name, ready=True, because=because)


@dataclass
class Stack:
    """All declared resources of one suffix.

    It is built without AWS, so that it can be drawn, tested, priced and compared.
    """

    suffix: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    # The resource that is created first and deleted last: AWS allows only one. "" where there is none.
    marker: str = ""

    def piece(self, name: str) -> Piece:
        """Return the part of the stack in which one step declares its resources."""
        return Piece(self, name)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def after_marker(self) -> set[str]:
        """Return the names of all resources that come after the marker: all but itself and what it needs."""
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
    """One step's part of the stack; calling it declares a resource."""

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
        """Declare one resource and return the handle by which others refer to it.

        `distinct` tells apart several resources of one noun whose type does not do so by its properties.
        `marks` are tags beside the usual ones. `patience` is the timeout in seconds, in place of the type's.
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
            lives_in=region or self.stack.region,
            patience=patience,
        )
        return Handle(name, aws_name)

    def _tags(self, name: str, aws_name: str) -> dict[str, str]:
        return tags_of(self.stack.suffix, self.stack.region, name, aws_name, self.stack.tags)


def _distinct(kind: type[Kind], name: str, props: Doc) -> str:
    # The text that tells a resource from others of its noun; "" where the type needs none.
    if not kind.distinct:
        return ""
    told = {key: unveiled(props.get(key)) for key in kind.distinct}
    return json.dumps([name, told], sort_keys=True)


def _edges(props: Doc, after: Iterable[Handle | Edge]) -> Iterator[Edge]:
    # The declared dependencies, and one on each resource that a property refers to.
    for other in after:
        yield other if isinstance(other, Edge) else Edge(other.name)
    for name in dict.fromkeys(ref.node for ref in refs_in(props)):
        yield Edge(name)
