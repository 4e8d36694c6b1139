"""The results of a check: what it finds wrong, or why it finds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]


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
    """There is nothing to check, as the settings want it; the message says what does not exist."""


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
            Unseen: The resource does not exist.

        """
        if self.actual is None:
            raise NotChecked(f"there is no {self.description}")
        return self.actual

    def missing_finding(self, name: str, why: str, command: str = "apply") -> Finding:
        """Return the finding that the resource does not exist, with the command that creates it."""
        return Finding(name, f"There is no {self.description}.", why, command, is_absent=True)
