"""How a resource is, from the state that AWS tells: each state of a resource type is classed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from provisioner.engine.refs import Doc

if TYPE_CHECKING:
    from provisioner.engine.kind import Kind

State = Literal["healthy", "in progress", "unhealthy", "gone", "unknown"]
# From the best to the worst: of several, the last one counts.
_ORDER: tuple[State, ...] = ("healthy", "in progress", "unknown", "unhealthy", "gone")
# The word for a resource whose type has no states: it is there.
THERE = "there"
MISSING = "missing"


def words(text: str) -> frozenset[str]:
    """Return states as AWS writes them, in small letters: some services tell them in either case."""
    return frozenset(text.lower().split())


@dataclass(frozen=True)
class States:
    """The states that one member of a resource type tells, by its dotted path, and what each means.

    A state that is in none of them is newer than this code: unknown, and never healthy.
    """

    member: str
    healthy: frozenset[str] = frozenset()
    in_progress: frozenset[str] = frozenset()
    unhealthy: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    # What it means that AWS does not tell the member.
    untold: State = "unknown"
    # What a person reads for a state that does not speak for itself.
    says: Mapping[str, str] = field(default_factory=dict)

    def state_of(self, word: str) -> State:
        """Return what one state means."""
        classes: tuple[tuple[State, frozenset[str]], ...] = (
            ("healthy", self.healthy),
            ("in progress", self.in_progress),
            ("unhealthy", self.unhealthy),
            ("gone", self.gone),
        )
        return next((state for state, told in classes if word.lower() in told), "unknown")

    def of(self, doc: Doc) -> Standing:
        """Return how the resource is by this member."""
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
    """How a resource is, and AWS's word for it."""

    state: State
    word: str
    # The member that tells it.
    member: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether it is there and works."""
        return self.state == "healthy"

    @property
    def told(self) -> str:
        """AWS's word, with what is to be made of a word that this version does not know."""
        return f"{self.word} (unknown to this version)" if self.state == "unknown" else self.word


def standing(kind: Kind, doc: Doc | None) -> Standing:
    """Return how a resource is by what AWS says of it: the worst that its members tell."""
    if doc is None:
        return Standing("gone", MISSING)
    return worst([one.of(doc) for one in kind.states])


def worst(found: Iterable[Standing]) -> Standing:
    """Return the worst; the first of several that are alike."""
    return max(found, key=lambda one: _ORDER.index(one.state), default=Standing("healthy", THERE))
