"""An object store with compare-and-swap: each write names the version that it replaces; S3 is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Conflict(Exception):
    """The object is not the version that the writer named; nothing was changed."""


@dataclass(frozen=True)
class Kept:
    """An object as it was read: its text, the ETag of this version, and its age in seconds.

    The age is measured by the store's own clock, so that clocks that differ do no harm; it may be off by a
    second.
    """

    text: bytes
    tag: str
    age: float


class Shelf(Protocol):
    """A store of texts by key; each operation is atomic, and every reader sees it at once."""

    def get(self, key: str) -> Kept | None:
        """Return the object under `key`, or None if there is none."""

    def put(self, key: str, text: bytes, over: str | None) -> str:
        """Write an object over the version with the ETag `over`, and return the new ETag.

        With `over` as None, the object is created.

        Raises:
            Conflict: The stored object is another version; for None, there is one already.

        """

    def drop(self, key: str, tag: str) -> None:
        """Delete the version of an object that has the ETag `tag`; a missing object is no error.

        Raises:
            Conflict: The stored object is another version.

        """

    def keys(self, prefix: str) -> list[str]:
        """Return every key that begins with `prefix`, sorted."""


def put(shelf: Shelf, key: str, text: bytes, over: str | None) -> str:
    """Write an object as `Shelf.put` does, and recognise this caller's own earlier write after a lost reply.

    A write whose reply was lost is sent again, and then conflicts with itself. It has succeeded if the stored
    text is the same: no text is written twice, because each holds a number that grows.

    Raises:
        Conflict: The stored object is another version, written by somebody else.

    """
    try:
        return shelf.put(key, text, over)
    except Conflict:
        there = shelf.get(key)
        if there is None or there.text != text:
            raise
        return there.tag
