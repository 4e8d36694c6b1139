"""A check of `doctor`, and its results: what it finds wrong, or why it finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.doctor.context import DoctorContext

JsonObject = Mapping[str, Any]
Read = Callable[[DoctorContext], Any]


@dataclass(frozen=True)
class Finding:
    """A problem that a check found: what is wrong, why that matters, and the command to type.

    The command is one of ours or of the AWS CLI. `name` is for scripts: it stays the same, whatever the words
    say. `evidence` is the full text that a container or a request left.
    """

    name: str
    problem: str
    consequence: str
    command: str
    evidence: str = ""
    # The resource that the check is about does not exist.
    is_absent: bool = False


class NotChecked(Exception):
    """The check could not be made; the message says why."""


class NotApplicable(Exception):
    """The settings leave this resource out; the message says what does not exist."""


class Recovered(Exception):
    """Nothing is wrong; the message says what was wrong a while ago, or what will change before long."""


@dataclass(frozen=True)
class ReadResult:
    """A resource that was looked for: its name in words, and what AWS says of it; None if it is missing."""

    description: str
    actual: JsonObject | None

    @property
    def found(self) -> JsonObject:
        """What AWS says of the resource.

        Raises:
            NotChecked: The resource does not exist.

        """
        if self.actual is None:
            raise NotChecked(f"there is no {self.description}")
        return self.actual

    def missing_finding(self, name: str, consequence: str, command: str = "apply") -> Finding:
        """Return the finding that the resource does not exist, with the command that creates it."""
        return Finding(name, f"There is no {self.description}.", consequence, command, is_absent=True)


@dataclass(frozen=True)
class Check:
    """A check: reads from AWS, and a judgement of what they return.

    Args:
        name: The name of the check.
        claim: What is true if nothing is wrong, in words.
        reads: The functions that read what `judge` needs, in the order of its arguments.
        judge: The function that returns what is wrong, or None.
        is_symptom: Whether a later check may find the cause of what this one finds.
        checks_existence: Whether it checks that a resource exists.
        stage: The part of the stack that it is about, such as "edge" or "database".

    """

    name: str
    claim: str
    reads: tuple[Read, ...]
    judge: Callable[..., Finding | None]
    is_symptom: bool = False
    checks_existence: bool = False
    stage: str = ""


def in_stage(stage: str, *checks: Check) -> tuple[Check, ...]:
    """Return the checks with their stage set."""
    return tuple(replace(check, stage=stage) for check in checks)


def required(read: Callable[[DoctorContext], ReadResult]) -> Read:
    """Return a read of the same resource that raises `NotChecked` where the resource does not exist."""
    return lambda context: read(context).found
