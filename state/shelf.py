"""A shelf: texts under keys, each replaced only by who knows what stands there; S3 is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Conflict(Exception):
    """Something else stands there than the writer knew of; nothing was changed."""


@dataclass(frozen=True)
class Kept:
    """What stands under a key: its text, the tag of this very writing of it, and its age in seconds.

    The age is by the shelf's own clock, so that clocks that differ do no harm; it may be a second off.
    """

    text: bytes
    tag: str
    age: float


class Shelf(Protocol):
    """Keeps texts; each act is whole or not at all, and every reader sees it at once."""

    def get(self, key: str) -> Kept | None:
        """What stands under a key; None where nothing does."""

    def put(self, key: str, text: bytes, over: str | None) -> str:
        """Write over the writing of that tag (None: where nothing stands); the new tag, else Conflict."""

    def drop(self, key: str, tag: str) -> None:
        """Remove the writing of that tag, else Conflict; nothing there is no error."""

    def keys(self, prefix: str) -> list[str]:
        """Every key that begins so, in order."""


def put(shelf: Shelf, key: str, text: bytes, over: str | None) -> str:
    """Write, and know one's own writing again: a lost reply makes the second try a conflict with the first.

    Every text given here is written once only: it bears a number that grows.
    """
    try:
        return shelf.put(key, text, over)
    except Conflict:
        there = shelf.get(key)
        if there is None or there.text != text:
            raise
        return there.tag
