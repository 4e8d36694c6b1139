"""The health of a resource, from its status in AWS: each status value of a resource type is classified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from provisioner.engine.refs import Doc

if TYPE_CHECKING:
    from provisioner.engine.kind import Kind

State = Literal["healthy", "in progress", "unhealthy", "gone", "unknown"]
# From the best to the worst: of several members, the worst one counts.
_ORDER: tuple[State, ...] = ("healthy", "in progress", "unknown", "unhealthy", "gone")
# The status word for a resource whose type has no status: it exists.
THERE = "there"
MISSING = "missing"


def words(text: str) -> frozenset[str]:
    """Return a set of status values in lower case, because some services return them in either case."""
    return frozenset(text.lower().split())


@dataclass(frozen=True)
class States:
    """The status values of one member of a resource type, by its dotted path, classified by what they mean.

    A value that is in no class is newer than this code: it is unknown, and never healthy.
    """

    member: str
    healthy: frozenset[str] = frozenset()
    in_progress: frozenset[str] = frozenset()
    unhealthy: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    # What it means if AWS does not return the member.
    untold: State = "unknown"
    # What is shown in place of a status value that is hard to understand.
    says: Mapping[str, str] = field(default_factory=dict)

    def state_of(self, word: str) -> State:
        """Return the class of one status value."""
        classes: tuple[tuple[State, frozenset[str]], ...] = (
            ("healthy", self.healthy),
            ("in progress", self.in_progress),
            ("unhealthy", self.unhealthy),
            ("gone", self.gone),
        )
        return next((state for state, told in classes if word.lower() in told), "unknown")

    def of(self, doc: Doc) -> Standing:
        """Return the health of a resource by this member of its actual properties."""
        value: Any = doc
        for key in self.member.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            word = THERE if self.untold == "healthy" else f"no {self.member}"
            return Standing(self.untold, word, self.member)
        word = str(value).lower() if isinstance(value, bool) else str(value)
        return Standing(self.state_of(word), self.says.get(word.lower(), word), self.member)


@dataclass(frozen=True)
class Standing:
    """The health of a resource, with AWS's status word."""

    state: State
    word: str
    # The member that holds the status.
    member: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether the resource exists and works."""
        return self.state == "healthy"

    @property
    def told(self) -> str:
        """The status word, with a remark if this version does not know it."""
        return f"{self.word} (unknown to this version)" if self.state == "unknown" else self.word


def standing(kind: Kind, doc: Doc | None) -> Standing:
    """Return the health of a resource from its actual properties: the worst by any of its members."""
    if doc is None:
        return Standing("gone", MISSING)
    return worst([one.of(doc) for one in kind.states])


def worst(found: Iterable[Standing]) -> Standing:
    """Return the worst health; the first one of several that are equal."""
    return max(found, key=lambda one: _ORDER.index(one.state), default=Standing("healthy", THERE))
