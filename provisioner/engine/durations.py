"""How long stages took in earlier runs, by type and region; where no run tells, the type's typical time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from provisioner.engine.resource_type import ResourceType

Doc = Mapping[str, Any]
What = Literal["exists", "ready", "gone"]
# The number of newest durations that count, by type, region, action and stage.
_NEWEST = 9


@dataclass
class DurationHistory:
    """Seconds that AWS took in earlier runs at one speed, the newest first."""

    speed: float = 1.0
    region: str = ""
    by_step: dict[tuple[str, str, str, What], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Doc], pace: float, region: str = "") -> DurationHistory:
        """Return the durations in records of runs, given newest first; records of another speed are left out.

        A resource that names no region is in `region`.
        """
        history = cls(pace, region)
        for record in records:
            if record.get("pace") == pace:
                for step in record.get("nodes", {}).values():
                    history._take(step)
        return history

    def _take(self, step: Doc) -> None:
        # Add the durations of one resource in one run.
        at = {what: when for when, what, *_ in step["moments"]}
        begun = at.get("starting")
        if begun is None:
            return
        since_when: dict[What, float] = {"exists": begun, "ready": at.get("exists", begun), "gone": begun}
        for what, since in since_when.items():
            if what in at:
                seconds = self.by_step.setdefault((step["kind"], step["region"], step["verb"], what), [])
                if len(seconds) < _NEWEST:
                    seconds.append(at[what] - since)

    def typical_seconds(self, resource_type: ResourceType, region: str, action: str, what: What) -> float:
        """Return the usual seconds until a resource exists, is ready after that, or is gone (`what`)."""
        known = self.known_seconds(resource_type, region, action, what)
        if known is not None:
            return known
        usual = {
            "exists": 0.0,
            "ready": resource_type.typical_create_seconds,
            "gone": resource_type.typical_delete_seconds,
        }
        return usual[what] * self.speed

    def known_seconds(self, resource_type: ResourceType, region: str, action: str, what: What) -> float | None:
        """Return the median seconds of earlier runs; None where no run did this."""
        seconds = self.by_step.get((str(resource_type), region or self.region, action, what))
        return median(seconds) if seconds else None
