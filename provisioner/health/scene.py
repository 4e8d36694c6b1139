"""The observed resources of a stack, and the lines that the topics make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import describe_error
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import HealthStatus, ResourceHealth

# `told` is neither good nor bad, such as an event or a number. `unknown`: AWS could not be asked.
Mark = Literal["well", "unwell", "unknown", "told"]


_MARKS: Mapping[HealthStatus, Mark] = {
    "healthy": "well",
    "in progress": "unwell",
    "unhealthy": "unwell",
    "gone": "unwell",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Sight:
    """A resource and its actual properties; `unknown` is the reason why AWS could not be asked about it."""

    node: str
    kind: str
    name: str
    doc: JsonObject | None = None
    unknown: str = ""
    # Its health, by the status members of its type; None if that is not known.
    how: ResourceHealth | None = None


@dataclass(frozen=True)
class Line:
    """One sentence about the health of one resource; `facts` are its numbers and words for `--json`."""

    name: str
    says: str
    mark: Mark
    facts: JsonObject = field(default_factory=dict)


Told = Line | Iterable[Line]
Teller = Callable[[Sight, JsonObject], Told]


@dataclass(frozen=True)
class Part:
    """The lines of one topic."""

    topic: str
    lines: tuple[Line, ...]

    def has(self, mark: Mark) -> bool:
        """Return whether one of the lines has this mark."""
        return any(line.mark == mark for line in self.lines)


@dataclass(frozen=True)
class Scene:
    """The resources of a stack as observed at the wall-clock second `now`, and clients for further calls."""

    sights: tuple[Sight, ...]
    clients: Clients
    now: float

    def of(self, *type_names: str) -> Iterator[Sight]:
        """Return the resources of these types, without replaced ones that are not deleted yet."""
        return (one for one in self.sights if one.kind in type_names and "~" not in one.node)

    def tell(self, type_name: str, line: Teller) -> Iterator[Line]:
        """Yield the lines that `line` makes of each resource of a type.

        If the call for one resource fails, its line says so, and the others follow all the same.
        """
        for one in self.of(type_name):
            yield from asked(one.node, partial(seen, one, line))


def seen(one: Sight, line: Teller) -> Told:
    """Return the lines that `line` makes of a resource, or one line if it is missing or could not be read."""
    if one.unknown:
        return Line(one.node, f"unknown: {one.unknown}", "unknown")
    if one.doc is None:
        return Line(one.node, "is not there", "unwell")
    return line(one, one.doc)


def asked(name: str, ask: Callable[[], Told]) -> list[Line]:
    """Return the lines that `ask` makes, or one line that says why they are not known.

    Expired credentials and errors of this tool itself are raised, as no further call would work.
    """
    try:
        answer = ask()
        return [answer] if isinstance(answer, Line) else list(answer)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        return [Line(name, f"unknown: {why_unknown(error, f'looking at {name}')}", "unknown")]


def why_unknown(error: Exception, doing: str) -> str:
    """Return AWS's words for why a call failed; raise the error if no further call would work.

    That is so for expired credentials, and for errors of this tool itself.
    """
    describe_refusal(error, doing)
    return describe_error(error)


def stated(one: Sight, value: Any, good: str) -> Mark:
    """Return the mark of a resource: by its health, or if that is not known by whether `value` is `good`."""
    if one.how is None:
        return "well" if value == good else "unwell"
    return _MARKS[one.how.status]
