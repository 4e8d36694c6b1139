"""The state of one stack in an object store; a write succeeds only over the version that was loaded."""

from __future__ import annotations

from contextlib import suppress

from provisioner.errors import LockHeld, ProvisionerError
from state.shelf import Conflict, Shelf, put
from state.store import KEPT


class ShelfStore:
    """One state as one object; its earlier versions are objects under the prefix `past`."""

    def __init__(self, shelf: Shelf, where: str, key: str, past: str) -> None:
        self._shelf = shelf
        self._where = where
        self._key = key
        self._past = past
        self._tag: str | None = None
        self._claimed = False

    @property
    def where(self) -> str:
        """The address of the object."""
        return f"{self._where}{self._key}"

    def load(self) -> bytes | None:
        """Return the stored text, or None; the next save replaces this version only."""
        there = self._shelf.get(self._key)
        self._tag = there.tag if there else None
        return there.text if there else None

    def save(self, text: bytes) -> None:
        """Replace the version that was loaded or written last.

        Raises:
            LockHeld: Another run has written the object since.

        """
        try:
            self._tag = put(self._shelf, self._key, text, self._tag)
        except Conflict as conflict:
            raise self._overtaken() from conflict
        self._claimed = False

    def remove(self) -> None:
        """Delete the version that was loaded or written last.

        Raises:
            LockHeld: Another run has written the object since.

        """
        tag, self._claimed = self._tag, False
        if tag is None:
            return
        try:
            self._shelf.drop(self._key, tag)
        except Conflict as conflict:
            raise self._overtaken() from conflict
        self._tag = None

    def claim(self, text: bytes) -> bool:
        """Write the state with the new holder's fencing number.

        From then on, all writes of an earlier holder fail with a conflict. Return False if the state was
        written since it was loaded.
        """
        new = self._tag is None
        try:
            self._tag = put(self._shelf, self._key, text, self._tag)
        except Conflict:
            return False
        self._claimed = new
        return True

    def disclaim(self) -> None:
        """Delete the object if it was created by `claim` and nothing was saved over it."""
        # A claim alone is not a state. If it cannot be deleted, another run has taken it over, or it does no
        # harm.
        with suppress(ProvisionerError):
            if self._claimed:
                self.remove()

    def put_aside(self, stamp: str) -> str:
        """Move the object to a key of its own, and return its new address."""
        aside = ShelfStore(self._shelf, self._where, f"{self._key}.aside-{stamp}", self._past)
        aside.save(self.load() or b"")
        self.remove()
        return aside.where

    def keep(self, version: str, text: bytes) -> None:
        """Save an earlier version under a key of its own, and delete the oldest versions."""
        self._kept(version).save(text)
        for name in self.versions()[:-KEPT]:
            old = self._kept(name)
            old.load()
            old.remove()

    def rewrite(self, version: str, text: bytes) -> None:
        """Replace an earlier version that is kept."""
        kept = self._kept(version)
        kept.load()
        kept.save(text)

    def versions(self) -> list[str]:
        """Return the names of the earlier versions that are kept, oldest first."""
        return [key.removeprefix(self._past).removesuffix(".json") for key in self._shelf.keys(self._past)]

    def past(self, version: str) -> bytes | None:
        """Return the text of one earlier version, or None."""
        return self._kept(version).load()

    def _kept(self, version: str) -> ShelfStore:
        return ShelfStore(self._shelf, self._where, f"{self._past}{version}.json", "")

    def _overtaken(self) -> LockHeld:
        return LockHeld(
            f"The state {self.where} was written by another run while this one worked.",
            "Nothing was written over it. When the other run has ended, run the same command again: it goes "
            "on from there.",
        )
