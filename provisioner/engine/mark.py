"""The mark of a run on its stack: which run it is, and when it was heard of last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioner.engine.refs import Doc
from provisioner.names import RUN_TAG

# What IAM takes in the value of a tag, and how much of it (IAM API reference, Tag).
_NOT_TAKEN = re.compile(r"[^\w.:/=+@-]")
_LONGEST = 256


@dataclass(frozen=True)
class Mark:
    """Which run is at work: `at` is the second, by AWS's clock, at which it was heard of last."""

    at: float
    lineage: str
    caller: str
    host: str
    since: float

    @classmethod
    def parse(cls, text: str) -> Mark | None:
        """The mark in a tag's value; None where there is none."""
        match text.split(" "):
            case [at, lineage, since, host, caller]:
                return cls(_seconds(at), lineage, caller, host, _seconds(since))
            case _:
                return None

    @classmethod
    def on(cls, doc: Doc | None) -> Mark | None:
        """The mark on the marker as AWS tells it; None where no run is at work."""
        return cls.parse(str(((doc or {}).get("Tags") or {}).get(RUN_TAG, "")))

    def dump(self) -> str:
        """The value of the tag that says so."""
        words = (self.lineage, stamp(self.since), self.host, self.caller)
        return " ".join([stamp(self.at), *(_NOT_TAKEN.sub("-", word) for word in words)])[:_LONGEST]

    def __str__(self) -> str:
        return f"{self.caller} on {self.host}, since {stamp(self.since)}, last heard of at {stamp(self.at)}"


@dataclass(frozen=True)
class Identity:
    """Who this run is: the lineage of its state, the caller and the host, and whether it may take over."""

    lineage: str
    caller: str
    host: str
    takes_over: bool = False
    # What to type to do so.
    how: str = ""


def stamp(at: float) -> str:
    """Return a wall-clock second as a message tells it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(stamp: str) -> float:
    """The wall-clock second; 0, long ago, where it cannot be read."""
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
