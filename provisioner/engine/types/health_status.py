"""The health of a resource, from its status in AWS: each status value of a resource type is classified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from provisioner.engine.resource_graph.references import JsonObject

if TYPE_CHECKING:
    from provisioner.engine.types.resource_type import ResourceType

HealthStatus = Literal["healthy", "in progress", "unhealthy", "gone", "unknown"]
# From the best to the worst: of several members, the worst one counts.
_ORDER: tuple[HealthStatus, ...] = ("healthy", "in progress", "unknown", "unhealthy", "gone")
# The status word for a resource whose type has no status: it exists.
EXISTS = "there"
MISSING = "missing"


def in_lower_case(text: str) -> frozenset[str]:
    """Return a set of status values in lower case, because some services return them in either case."""
    return frozenset(text.lower().split())


@dataclass(frozen=True)
class StatusClasses:
    """The status values of one member of a resource type, by its dotted path, classified by what they mean.

    A value that is in no class is newer than this code: it is unknown, and never healthy.
    """

    member: str
    healthy: frozenset[str] = frozenset()
    in_progress: frozenset[str] = frozenset()
    unhealthy: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    # What it means if AWS does not return the member.
    when_missing: HealthStatus = "unknown"
    # What is shown in place of a status value that is hard to understand.
    descriptions: Mapping[str, str] = field(default_factory=dict)

    def classify(self, word: str) -> HealthStatus:
        """Return the class of one status value."""
        classes: tuple[tuple[HealthStatus, frozenset[str]], ...] = (
            ("healthy", self.healthy),
            ("in progress", self.in_progress),
            ("unhealthy", self.unhealthy),
            ("gone", self.gone),
        )
        return next((status for status, words in classes if word.lower() in words), "unknown")

    def health_of(self, actual: JsonObject) -> ResourceHealth:
        """Return the health of a resource by this member of its actual properties."""
        value: Any = actual
        for key in self.member.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            word = EXISTS if self.when_missing == "healthy" else f"no {self.member}"
            return ResourceHealth(self.when_missing, word, self.member)
        word = str(value).lower() if isinstance(value, bool) else str(value)
        return ResourceHealth(self.classify(word), self.descriptions.get(word.lower(), word), self.member)


@dataclass(frozen=True)
class ResourceHealth:
    """The health of a resource, with AWS's status word."""

    status: HealthStatus
    aws_status: str
    # The member that holds the status.
    member: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether the resource exists and works."""
        return self.status == "healthy"

    @property
    def description(self) -> str:
        """The status word, with a remark if this version does not know it."""
        return f"{self.aws_status} (unknown to this version)" if self.status == "unknown" else self.aws_status


def health_of(resource_type: ResourceType, actual: JsonObject | None) -> ResourceHealth:
    """Return the health of a resource from its actual properties: the worst by any of its members."""
    if actual is None:
        return ResourceHealth("gone", MISSING)
    return worst_health([classes.health_of(actual) for classes in resource_type.status_classes])


def worst_health(healths: Iterable[ResourceHealth]) -> ResourceHealth:
    """Return the worst health; the first one of several that are equal."""
    return max(healths, key=lambda health: _ORDER.index(health.status), default=ResourceHealth("healthy", EXISTS))
