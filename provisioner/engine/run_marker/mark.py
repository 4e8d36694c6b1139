"""The run mark: a tag value that says which run is at work on a stack, and when it was renewed last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import RUN_TAG
from state.errors import LockHeld

# What IAM does not accept in the value of a tag, and how long a value may be (IAM API reference, Tag).
_NOT_TAKEN = re.compile(r"[^\w.:/=+@-]")
_LONGEST = 256


@dataclass(frozen=True)
class RunMark:
    """The mark of one run.

    `at` is the second of its last renewal, `since` that of its first writing, both by AWS's clock.
    """

    at: float
    lineage: str
    caller: str
    host: str
    since: float

    @classmethod
    def parse(cls, text: str) -> RunMark | None:
        """Return the mark in a tag's value, or None if the value is not a mark."""
        match text.split(" "):
            case [at, lineage, since, host, caller]:
                return cls(_seconds(at), lineage, caller, host, _seconds(since))
            case _:
                return None

    @classmethod
    def on(cls, doc: JsonObject | None) -> RunMark | None:
        """Return the mark in the tags of the marker resource, or None if no run is at work."""
        return cls.parse(str(((doc or {}).get("Tags") or {}).get(RUN_TAG, "")))

    def dump(self) -> str:
        """Return the value of the tag that holds this mark."""
        words = (self.lineage, stamp(self.since), self.host, self.caller)
        return " ".join([stamp(self.at), *(_NOT_TAKEN.sub("-", word) for word in words)])[:_LONGEST]

    def __str__(self) -> str:
        return f"{self.caller} on {self.host}, since {stamp(self.since)}, last heard of at {stamp(self.at)}"


@dataclass(frozen=True)
class RunIdentity:
    """The identity of this run: its state's lineage, its caller and host, and whether it may take over."""

    lineage: str
    caller: str
    host: str
    takes_over: bool = False
    # The command that takes over from a dead run, for messages.
    hint: str = ""

    def held_up(self, suffix: str, there: RunMark | None, lasts: float, came: str) -> LockHeld:
        """Return the error that another run is at work on a stack.

        `there` is its mark, which counts for `lasts` seconds; `came` says what became of this run.
        """
        whose = f"by {there}" if there else "by a run that has left no mark"
        until = f" or until {stamp(there.at + lasts)}, when it counts as dead" if there else ""
        return LockHeld(
            f"The stack {suffix} is being made, changed or removed {whose}. That run has a state of its own; {came}.",
            f"Wait until it has ended{until}, then run the same command again. Share one state "
            f"(--state s3://...) so that both know the same. {self.hint}".rstrip(),
        )

    def begun_anew(self, suffix: str, there: RunMark | None) -> LockHeld:
        """Return the error of a teardown after which another run has begun to create the stack again."""
        whose = f"by {there}" if there else "by a run that has ended"
        return LockHeld(
            f"This run removed all of the stack {suffix} that it knew, and the stack was begun anew "
            f"{whose}. That run has a state of its own; nothing of it was touched.",
            "Another teardown would remove what that run makes. Share one state (--state s3://...) so that "
            f"both know the same. {self.hint}".rstrip(),
        )


def stamp(at: float) -> str:
    """Return a wall-clock second as a UTC timestamp."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(stamp: str) -> float:
    """Return the wall-clock second of a timestamp; 0, which is long ago, if it cannot be read."""
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
