"""The run mark: a tag value that says which run is at work on a stack, and when it was renewed last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import RUN_TAG
from state.errors import LockHeld

# What IAM does not accept in the value of a tag, and how long a value may be (IAM API reference, Tag).
_INVALID_CHARACTER = re.compile(r"[^\w.:/=+@-]")
_MAX_LENGTH = 256


@dataclass(frozen=True)
class RunMark:
    """The mark of one run.

    `renewed_at` is the second of its last renewal, `began_at` that of its first writing, both by AWS's clock.
    """

    renewed_at: float
    lineage: str
    caller: str
    host: str
    began_at: float

    @classmethod
    def parse(cls, text: str) -> RunMark | None:
        """Return the mark in a tag's value, or None if the value is not a mark."""
        match text.split(" "):
            case [renewed_at, lineage, began_at, host, caller]:
                return cls(_parse_stamp(renewed_at), lineage, caller, host, _parse_stamp(began_at))
            case _:
                return None

    @classmethod
    def in_tags(cls, actual: JsonObject | None) -> RunMark | None:
        """Return the mark in the tags of the marker resource, or None if no run is at work."""
        return cls.parse(str(((actual or {}).get("Tags") or {}).get(RUN_TAG, "")))

    def dump(self) -> str:
        """Return the value of the tag that holds this mark."""
        words = (self.lineage, stamp(self.began_at), self.host, self.caller)
        return " ".join([stamp(self.renewed_at), *(_INVALID_CHARACTER.sub("-", word) for word in words)])[:_MAX_LENGTH]

    def __str__(self) -> str:
        return f"{self.caller} on {self.host}, since {stamp(self.began_at)}, last heard of at {stamp(self.renewed_at)}"


@dataclass(frozen=True)
class RunIdentity:
    """The identity of this run: its state's lineage, its caller and host, and whether it may take over."""

    lineage: str
    caller: str
    host: str
    takes_over: bool = False
    # The command that takes over from a dead run, for messages.
    takeover_hint: str = ""

    def conflict_error(self, suffix: str, mark: RunMark | None, mark_seconds: float, consequence: str) -> LockHeld:
        """Return the error that another run is at work on a stack.

        `mark` is its mark, which counts for `mark_seconds` seconds; `consequence` says what became of this run.
        """
        holder = f"by {mark}" if mark else "by a run that has left no mark"
        until = f" or until {stamp(mark.renewed_at + mark_seconds)}, when it counts as dead" if mark else ""
        return LockHeld(
            f"The stack {suffix} is being made, changed or removed {holder}. That run has a state of its "
            f"own; {consequence}.",
            f"Wait until it has ended{until}, then run the same command again. Share one state "
            f"(--state s3://...) so that both know the same. {self.takeover_hint}".rstrip(),
        )

    def begun_again_error(self, suffix: str, mark: RunMark | None) -> LockHeld:
        """Return the error of a teardown after which another run has begun to create the stack again."""
        holder = f"by {mark}" if mark else "by a run that has ended"
        return LockHeld(
            f"This run removed all of the stack {suffix} that it knew, and the stack was begun again "
            f"{holder}. That run has a state of its own; nothing of it was touched.",
            "Another teardown would remove what that run makes. Share one state (--state s3://...) so that "
            f"both know the same. {self.takeover_hint}".rstrip(),
        )


def describe_new_holder(mark: RunMark | None) -> str:
    """Return the words for the run that took over; a run that has ended has removed its mark."""
    return f"by {mark}" if mark else "by one that has ended"


def stamp(at: float) -> str:
    """Return a wall-clock second as a UTC timestamp."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse_stamp(stamp: str) -> float:
    """Return the wall-clock second of a timestamp; 0, which is long ago, if it cannot be read."""
    try:
        return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
