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

# `info` is neither good nor bad, such as an event or a number. `unknown`: AWS could not be asked.
LineStatus = Literal["healthy", "unhealthy", "unknown", "info"]


_LINE_STATUSES: Mapping[HealthStatus, LineStatus] = {
    "healthy": "healthy",
    "in progress": "unhealthy",
    "unhealthy": "unhealthy",
    "gone": "unhealthy",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class ObservedResource:
    """A resource and its actual properties; `unknown_reason` is the reason why AWS could not be asked about it."""

    logical_id: str
    type_name: str
    aws_name: str
    actual: JsonObject | None = None
    unknown_reason: str = ""
    # Its health, by the status members of its type; None if that is not known.
    health: ResourceHealth | None = None


@dataclass(frozen=True)
class HealthLine:
    """One sentence about the health of one resource; `facts` are its numbers and words for `--json`."""

    name: str
    text: str
    status: LineStatus
    facts: JsonObject = field(default_factory=dict)


Lines = HealthLine | Iterable[HealthLine]
Describe = Callable[[ObservedResource, JsonObject], Lines]


@dataclass(frozen=True)
class TopicHealth:
    """The lines of one topic."""

    topic: str
    lines: tuple[HealthLine, ...]

    def has_status(self, status: LineStatus) -> bool:
        """Return whether one of the lines has this status."""
        return any(line.status == status for line in self.lines)


@dataclass(frozen=True)
class HealthContext:
    """The resources of a stack as observed at the wall-clock second `now`, and clients for further calls."""

    resources: tuple[ObservedResource, ...]
    clients: Clients
    now: float

    def of_types(self, *type_names: str) -> Iterator[ObservedResource]:
        """Return the resources of these types, without replaced ones that are not deleted yet."""
        return (
            resource
            for resource in self.resources
            if resource.type_name in type_names and "~" not in resource.logical_id
        )

    def lines_of_type(self, type_name: str, describe: Describe) -> Iterator[HealthLine]:
        """Yield the lines that `describe` makes of each resource of a type.

        If the call for one resource fails, its line says so, and the others follow all the same.
        """
        for resource in self.of_types(type_name):
            yield from line_or_unknown(resource.logical_id, partial(lines_of, resource, describe))


def lines_of(resource: ObservedResource, describe: Describe) -> Lines:
    """Return the lines that `describe` makes of a resource, or one line if it is missing or could not be read."""
    if resource.unknown_reason:
        return HealthLine(resource.logical_id, f"unknown: {resource.unknown_reason}", "unknown")
    if resource.actual is None:
        return HealthLine(resource.logical_id, "missing", "unhealthy")
    return describe(resource, resource.actual)


def line_or_unknown(name: str, read: Callable[[], Lines]) -> list[HealthLine]:
    """Return the lines that `read` makes, or one line that says why they are not known.

    Expired credentials and errors of this tool itself are raised, as no further call would work.
    """
    try:
        lines = read()
        return [lines] if isinstance(lines, HealthLine) else list(lines)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        return [HealthLine(name, f"unknown: {reason_unknown(error, f'looking at {name}')}", "unknown")]


def reason_unknown(error: Exception, activity: str) -> str:
    """Return AWS's words for why a call failed; raise the error if no further call would work.

    That is so for expired credentials, and for errors of this tool itself.
    """
    describe_refusal(error, activity)  # raises the error if it is no refusal of this one call
    return describe_error(error)


def line_status(resource: ObservedResource, aws_status: Any, healthy_status: str) -> LineStatus:
    """Return the status of a line: by the resource's health; without one, by AWS's status and the healthy one."""
    if resource.health is None:
        return "healthy" if aws_status == healthy_status else "unhealthy"
    return _LINE_STATUSES[resource.health.status]
