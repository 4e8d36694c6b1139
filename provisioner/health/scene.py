"""What a look at a stack has seen, and what a topic tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from provisioner.engine.clients import Clients
from provisioner.engine.explain import excused
from provisioner.engine.faults import told
from provisioner.engine.refs import Doc
from provisioner.engine.states import Standing, State

# `told` is neither good nor bad: an event, a number. `unknown` could not be asked.
Mark = Literal["well", "unwell", "unknown", "told"]


_MARKS: Mapping[State, Mark] = {
    "healthy": "well",
    "in progress": "unwell",
    "unhealthy": "unwell",
    "gone": "unwell",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class Sight:
    """One resource and what AWS says of it; `unknown` says why it could not be asked."""

    node: str
    kind: str
    name: str
    doc: Doc | None = None
    unknown: str = ""
    # How it is by its states; None where that is not known.
    how: Standing | None = None


@dataclass(frozen=True)
class Line:
    """One sentence about one thing; `facts` are what it is made of."""

    name: str
    says: str
    mark: Mark
    facts: Doc = field(default_factory=dict)


Told = Line | Iterable[Line]
Teller = Callable[[Sight, Doc], Told]


@dataclass(frozen=True)
class Part:
    """What a topic tells."""

    topic: str
    lines: tuple[Line, ...]

    def has(self, mark: Mark) -> bool:
        """Whether one of its lines is of this mark."""
        return any(line.mark == mark for line in self.lines)


@dataclass(frozen=True)
class Scene:
    """The resources of a stack as they were seen at a wall-clock second, and the way to ask for more."""

    sights: tuple[Sight, ...]
    clients: Clients
    now: float

    def of(self, *kinds: str) -> Iterator[Sight]:
        """Those of these kinds, what waits aside for its end left out."""
        return (one for one in self.sights if one.kind in kinds and "~" not in one.node)

    def tell(self, kind: str, line: Teller) -> Iterator[Line]:
        """What `line` tells of each resource of a kind; one that could not be seen hides no other."""
        for one in self.of(kind):
            yield from asked(one.node, partial(seen, one, line))


def seen(one: Sight, line: Teller) -> Told:
    """What `line` tells of a resource that is there."""
    if one.unknown:
        return Line(one.node, f"unknown: {one.unknown}", "unknown")
    if one.doc is None:
        return Line(one.node, "is not there", "unwell")
    return line(one, one.doc)


def asked(name: str, ask: Callable[[], Told]) -> list[Line]:
    """What is told, or why it is not known; raises what makes every other question useless too."""
    try:
        answer = ask()
        return [answer] if isinstance(answer, Line) else list(answer)
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        return [Line(name, f"unknown: {why_unknown(error, f'looking at {name}')}", "unknown")]


def why_unknown(error: Exception, doing: str) -> str:
    """AWS's own words; credentials that have expired, and faults of this tool's own, are raised."""
    excused(error, doing)
    return told(error)


def stated(one: Sight, value: Any, good: str) -> Mark:
    """As its state is classed; where that is not known, well where AWS says the one word that is meant."""
    if one.how is None:
        return "well" if value == good else "unwell"
    return _MARKS[one.how.state]
