"""What a check comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Doc = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What is wrong, why that matters, and what to type: one of our commands or of AWS's own.

    `name` is what scripts go by: it stays, whatever the words say of this stack. `evidence` is what a
    container or a request said at length.
    """

    name: str
    what: str
    why: str
    type: str
    evidence: str = ""
    # The thing that the check is about is not there at all.
    is_absent: bool = False


class Unseen(Exception):
    """A check cannot be made; the message says why."""


class Unset(Exception):
    """There is nothing to check, and that is as it was wanted; the message says what there is not."""


class Over(Exception):
    """All is well; the message says what was not, a while ago, or what comes before long."""


@dataclass(frozen=True)
class Sought:
    """What was looked for, in words, and what AWS says of it; None where it is not there."""

    words: str
    doc: Doc | None

    @property
    def found(self) -> Doc:
        """What AWS says of it; Unseen where it is not there."""
        if self.doc is None:
            raise Unseen(f"there is no {self.words}")
        return self.doc

    def lacking(self, name: str, why: str, command: str = "apply") -> Finding:
        """That it is not there, and what makes it."""
        return Finding(name, f"There is no {self.words}.", why, command, is_absent=True)
