"""The declared graph: resources, and the dependencies that follow from their references."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject, Ref, redact, refs_in
from provisioner.engine.types.resource_type import ResourceType
from provisioner.names import name_of, tags_of

NO_EXTRA_TAGS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Edge:
    """A dependency on another resource, which must exist, or must be ready for the reason given."""

    to: str
    ready: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Resource:
    """One declared resource, with its properties in AWS's own parameter names."""

    type: ResourceType
    logical_id: str
    aws_name: str
    step: str
    props: JsonObject
    tags: Mapping[str, str]
    edges: tuple[Edge, ...]
    # The region it was declared for; "" for the stack's.
    region: str = ""
    # The region it is in, whichever it was declared for.
    actual_region: str = ""
    # The timeout in seconds, where the settings give one.
    timeout: float | None = None

    @property
    def depends_on(self) -> list[str]:
        """The names of the resources that it depends on, each once."""
        return list(dict.fromkeys(edge.to for edge in self.edges))


@dataclass(frozen=True)
class ResourceHandle:
    """A declared resource as steps pass it on: a resource whose properties mention it depends on it."""

    logical_id: str
    aws_name: str

    @property
    def id(self) -> Ref:
        """The id that AWS gives the resource."""
        return Ref(self.logical_id, "id")

    def __getitem__(self, path: str) -> Ref:
        return Ref(self.logical_id, path)

    def ready(self, because: str) -> Edge:
        """Return an edge that waits until the resource is ready, and why existing is not enough."""
        return Edge(self.logical_id, ready=True, reason=because)


@dataclass
class Stack:
    """All declared resources of one suffix.

    It is built without AWS, so that it can be drawn, tested, priced and compared.
    """

    suffix: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    # The resource that is created first and deleted last: AWS allows only one. "" where there is none.
    marker: str = ""

    def step(self, name: str) -> Step:
        """Return the part of the stack in which one step declares its resources."""
        return Step(self, name)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def created_after_marker(self) -> set[str]:
        """Return the names of all resources that come after the marker: all but itself and what it needs."""
        if self.marker not in self.resources:
            return set()
        before, waiting = set(), [self.marker]
        while waiting:
            name = waiting.pop()
            before.add(name)
            waiting += [need for need in self.resources[name].depends_on if need not in before]
        return self.resources.keys() - before


@dataclass(frozen=True)
class Step:
    """One step's part of the stack; calling it declares a resource."""

    stack: Stack
    name: str

    def __call__(
        self,
        resource_type: type[ResourceType],
        name: str,
        *,
        noun: str = "",
        discriminator: str = "",
        depends_on: Iterable[ResourceHandle | Edge] = (),
        region: str = "",
        timeout: float | None = None,
        extra_tags: Mapping[str, str] = NO_EXTRA_TAGS,
        **props: Any,
    ) -> ResourceHandle:
        """Declare one resource and return the handle by which others refer to it.

        `discriminator` tells apart several resources of one noun whose type does not do so by its properties.
        `extra_tags` are tags beside the usual ones. `timeout` is the timeout in seconds, in place of the type's.
        """
        if name in self.stack.resources:
            raise ValueError(f"two resources are called {name}")
        noun = noun or resource_type.noun
        distinct = discriminator or _discriminator(resource_type, name, props)
        aws_name = name_of(noun, self.stack.suffix, distinct, resource_type.max_name_length) if noun else ""
        if resource_type.name_property:
            props.setdefault(resource_type.name_property, aws_name)
        self.stack.resources[name] = Resource(
            type=resource_type(),
            logical_id=name,
            aws_name=aws_name,
            step=self.name,
            props=props,
            tags={**self._tags(name, aws_name), **extra_tags} if resource_type.tagged else {},
            edges=tuple(_edges(props, depends_on)),
            region=region,
            actual_region=region or self.stack.region,
            timeout=timeout,
        )
        return ResourceHandle(name, aws_name)

    def _tags(self, name: str, aws_name: str) -> dict[str, str]:
        return tags_of(self.stack.suffix, self.stack.region, name, aws_name, self.stack.tags)


def _discriminator(resource_type: type[ResourceType], name: str, props: JsonObject) -> str:
    """Return the text that tells a resource from others of its noun; "" where the type needs none."""
    if not resource_type.discriminators:
        return ""
    values = {key: redact(props.get(key)) for key in resource_type.discriminators}
    return json.dumps([name, values], sort_keys=True)


def _edges(props: JsonObject, depends_on: Iterable[ResourceHandle | Edge]) -> Iterator[Edge]:
    """Yield the declared dependencies, and one on each resource that a property refers to."""
    for other in depends_on:
        yield other if isinstance(other, Edge) else Edge(other.logical_id)
    for name in dict.fromkeys(ref.logical_id for ref in refs_in(props)):
        yield Edge(name)
