"""What a page tells of a stack, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from provisioner.engine.drift import Report
from provisioner.engine.past import Past
from provisioner.engine.timeline import Timeline
from provisioner.health.scene import Mark, Part
from provisioner.prices.estimate import Estimate

# `good` is as wanted, `busy` is at work, `changed` is other than the ledger says, `bad` is missing or failed.
State = Literal["good", "unknown", "busy", "changed", "bad"]
# How a line of a topic is; one that only tells something is in no state.
MARKS: Mapping[Mark, State | None] = {"well": "good", "unwell": "bad", "unknown": "unknown", "told": None}
_WORST: tuple[State, ...] = ("good", "unknown", "busy", "changed", "bad")


def worst(states: list[State]) -> State:
    """The worst of them; nothing is unknown."""
    return max(states, key=_WORST.index, default="unknown")


@dataclass(frozen=True)
class Box:
    """A thing in the picture: what it is, some short lines about it, and how it is."""

    title: str
    lines: tuple[str, ...] = ()
    state: State = "unknown"
    word: str = ""
    about: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet, and what sits in it alone."""

    box: Box
    inside: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Zone:
    """A zone with its public and its private subnet."""

    name: str
    public: Subnet | None = None
    private: Subnet | None = None


@dataclass(frozen=True)
class Map:
    """What sits where: before the region, in the network, over its subnets, and beside it."""

    title: str
    region: str
    edge: tuple[Box, ...] = ()
    network: Box | None = None
    # What spans the public subnets, and what spans the private ones.
    front: tuple[Box, ...] = ()
    zones: tuple[Zone, ...] = ()
    back: tuple[Box, ...] = ()
    beside: tuple[Box, ...] = ()
    # How many resources are not drawn, as they are parts of what is.
    parts: int = 0


@dataclass(frozen=True)
class Health:
    """One resource, or one thing that is looked at, and how it is."""

    what: str
    kind: str
    state: State
    word: str


@dataclass(frozen=True)
class Control:
    """One thing that protects the stack: whether it holds, what breaks it, which setting is about it."""

    what: str
    why: str
    setting: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """All that the page tells; `warning` says why AWS was not asked, where it was not."""

    suffix: str
    where: str
    written: str
    map: Map
    outputs: Mapping[str, str]
    health: tuple[Health, ...]
    controls: tuple[Control, ...]
    cost: Estimate
    # What each topic of `status` tells.
    parts: tuple[Part, ...] = ()
    drift: Report | None = None
    changes: str = ""
    runs: tuple[Past, ...] = ()
    last: Timeline | None = None
    warning: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def state(self) -> State:
        """How the whole stack is."""
        told = [MARKS[line.mark] for part in self.parts for line in part.lines]
        return worst([*(one.state for one in self.health), *(state for state in told if state)])
