"""How long a step took in earlier runs, per kind and region; else what its kind says is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from provisioner.engine.kind import Kind

Doc = Mapping[str, Any]
What = Literal["exists", "ready", "gone"]
# Of each kind and region the newest so many count.
_NEWEST = 9


@dataclass
class Durations:
    """Seconds that AWS took at this pace, newest first."""

    pace: float = 1.0
    region: str = ""
    known: dict[tuple[str, str, str, What], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Doc], pace: float, region: str = "") -> Durations:
        """What the records of runs tell, given newest first; those of another pace tell nothing.

        A node that names no region is in `region`.
        """
        durations = cls(pace, region)
        for record in records:
            if record.get("pace") == pace:
                for step in record.get("nodes", {}).values():
                    durations._take(step)
        return durations

    def _take(self, step: Doc) -> None:
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

    def expected(self, kind: Kind, region: str, verb: str, what: What) -> float:
        """Seconds until a node exists, is ready after that, or is gone."""
        known = self.known_seconds(kind, region, verb, what)
        if known is not None:
            return known
        usual = {"exists": 0.0, "ready": kind.takes, "gone": kind.takes_to_go}
        return usual[what] * self.pace

    def known_seconds(self, kind: Kind, region: str, verb: str, what: What) -> float | None:
        """What earlier runs took; None where none did this."""
        seconds = self.known.get((str(kind), region or self.region, verb, what))
        return median(seconds) if seconds else None
