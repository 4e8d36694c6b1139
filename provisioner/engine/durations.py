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
class Durations:
    """Seconds that AWS took in earlier runs at one speed, the newest first."""

    pace: float = 1.0
    region: str = ""
    known: dict[tuple[str, str, str, What], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Doc], pace: float, region: str = "") -> Durations:
        """Return the durations in records of runs, given newest first; records of another speed are left out.

        A resource that names no region is in `region`.
        """
        durations = cls(pace, region)
        for record in records:
            if record.get("pace") == pace:
                for step in record.get("nodes", {}).values():
                    durations._take(step)
        return durations

    def _take(self, step: Doc) -> None:
        # Add the durations of one resource in one run.
        at = {what: when for when, what, *_ in step["moments"]}
        begun = at.get("starting")
        if begun is None:
            return
        since_when: dict[What, float] = {"exists": begun, "ready": at.get("exists", begun), "gone": begun}
        for what, since in since_when.items():
            if what in at:
                seconds = self.known.setdefault((step["kind"], step["region"], step["verb"], what), [])
                if len(seconds) < _NEWEST:
                    seconds.append(at[what] - since)

    def expected(self, resource_type: ResourceType, region: str, verb: str, what: What) -> float:
        """Return the usual seconds until a resource exists, is ready after that, or is gone (`what`)."""
        known = self.known_seconds(resource_type, region, verb, what)
        if known is not None:
            return known
        usual = {
            "exists": 0.0,
            "ready": resource_type.typical_create_seconds,
            "gone": resource_type.typical_delete_seconds,
        }
        return usual[what] * self.pace

    def known_seconds(self, resource_type: ResourceType, region: str, verb: str, what: What) -> float | None:
        """Return the median seconds of earlier runs; None where no run did this."""
        seconds = self.known.get((str(resource_type), region or self.region, verb, what))
        return median(seconds) if seconds else None
