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
DisplayStatus = Literal["good", "unknown", "busy", "changed", "bad"]
# The status that is displayed for a line; a line that is only information has none.
LINE_DISPLAY_STATUSES: Mapping[LineStatus, DisplayStatus | None] = {
    "healthy": "good",
    "unhealthy": "bad",
    "unknown": "unknown",
    "info": None,
}
_FROM_BEST_TO_WORST: tuple[DisplayStatus, ...] = ("good", "unknown", "busy", "changed", "bad")


def worst(statuses: list[DisplayStatus]) -> DisplayStatus:
    """Return the worst of the statuses; "unknown" if there are none."""
    return max(statuses, key=_FROM_BEST_TO_WORST.index, default="unknown")


@dataclass(frozen=True)
class Box:
    """A resource in the diagram: title, short lines, status, and the word for the status.

    `tooltip` is further text for the tooltip.
    """

    title: str
    lines: tuple[str, ...] = ()
    status: DisplayStatus = "unknown"
    status_text: str = ""
    tooltip: str = ""


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
class Diagram:
    """The resources by place: in front of the region (`edge`), in the VPC, and beside it (`outside_network`).

    `network` is the box of the VPC. In it, `across_public` spans the public subnets of all zones, and
    `across_private` the private ones.
    """

    title: str
    region: str
    edge: tuple[Box, ...] = ()
    network: Box | None = None
    across_public: tuple[Box, ...] = ()
    zones: tuple[Zone, ...] = ()
    across_private: tuple[Box, ...] = ()
    outside_network: tuple[Box, ...] = ()
    # The number of resources that are not drawn, because they are parts of drawn ones.
    undrawn_count: int = 0


@dataclass(frozen=True)
class ResourceHealthRow:
    """The health of one resource or of one other thing that was checked."""

    name: str
    type_name: str
    status: DisplayStatus
    status_text: str


@dataclass(frozen=True)
class Control:
    """One security control: why it matters, the setting for it, and the resources that violate it."""

    name: str
    reason: str
    setting: str
    violations: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportContents:
    """The contents of the page; `warning` says why AWS was not asked, and is "" if it was."""

    suffix: str
    location: str
    written_at: str
    diagram: Diagram
    outputs: Mapping[str, str]
    health: tuple[ResourceHealthRow, ...]
    controls: tuple[Control, ...]
    cost: CostEstimate
    # The lines of each topic of `status`.
    topics: tuple[TopicHealth, ...] = ()
    drift: DriftReport | None = None
    changes: str = ""
    runs: tuple[Run, ...] = ()
    last_timeline: Timeline | None = None
    warning: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def status(self) -> DisplayStatus:
        """The worst status of all resources and topics."""
        line_statuses = [LINE_DISPLAY_STATUSES[line.status] for topic in self.topics for line in topic.lines]
        return worst([*(row.status for row in self.health), *(status for status in line_statuses if status)])
