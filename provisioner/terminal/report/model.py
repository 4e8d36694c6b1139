"""The contents of the report, before they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from provisioner.engine.planning.drift import DriftReport
from provisioner.engine.runs.run import Run
from provisioner.engine.runs.timeline import Timeline
from provisioner.health.context import LineStatus, TopicHealth
from provisioner.prices.estimate import CostEstimate

# `good`: as desired. `busy`: AWS is working on it. `changed`: drifted. `bad`: missing or failed.
State = Literal["good", "unknown", "busy", "changed", "bad"]
# The status of a line by its mark; a line that is only information has none.
MARKS: Mapping[LineStatus, State | None] = {"well": "good", "unwell": "bad", "unknown": "unknown", "told": None}
_WORST: tuple[State, ...] = ("good", "unknown", "busy", "changed", "bad")


def worst(states: list[State]) -> State:
    """Return the worst of the statuses; "unknown" if there are none."""
    return max(states, key=_WORST.index, default="unknown")


@dataclass(frozen=True)
class Box:
    """A resource in the diagram: title, short lines, status, and the word for the status.

    `about` is further text for the tooltip.
    """

    title: str
    lines: tuple[str, ...] = ()
    state: State = "unknown"
    word: str = ""
    about: str = ""


@dataclass(frozen=True)
class Subnet:
    """A subnet, and the boxes of the resources in it."""

    box: Box
    inside: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Zone:
    """An availability zone with its public and its private subnet."""

    name: str
    public: Subnet | None = None
    private: Subnet | None = None


@dataclass(frozen=True)
class Map:
    """The resources by place: `edge` in front of the region, `network`, and `beside` the network.

    In the network, `front` spans the public subnets and `back` the private ones.
    """

    title: str
    region: str
    edge: tuple[Box, ...] = ()
    network: Box | None = None
    # The resources that span the public subnets. Those that span the private ones are in `back`.
    front: tuple[Box, ...] = ()
    zones: tuple[Zone, ...] = ()
    back: tuple[Box, ...] = ()
    beside: tuple[Box, ...] = ()
    # The number of resources that are not drawn, because they are parts of drawn ones.
    parts: int = 0


@dataclass(frozen=True)
class Health:
    """The health of one resource or of one other thing that was checked."""

    what: str
    kind: str
    state: State
    word: str


@dataclass(frozen=True)
class Control:
    """One protection of the stack: why it matters, the setting for it, and the resources that break it."""

    what: str
    why: str
    setting: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The contents of the page; `warning` says why AWS was not asked, and is "" if it was."""

    suffix: str
    where: str
    written: str
    map: Map
    outputs: Mapping[str, str]
    health: tuple[Health, ...]
    controls: tuple[Control, ...]
    cost: CostEstimate
    # The lines of each topic of `status`.
    parts: tuple[TopicHealth, ...] = ()
    drift: DriftReport | None = None
    changes: str = ""
    runs: tuple[Run, ...] = ()
    last: Timeline | None = None
    warning: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def state(self) -> State:
        """The worst status of all resources and topics."""
        told = [MARKS[line.status] for part in self.parts for line in part.lines]
        return worst([*(one.state for one in self.health), *(state for state in told if state)])
