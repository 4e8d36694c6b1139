"""A document on a shelf: it is written only over the writing that was loaded, so no other's is ever lost."""

from __future__ import annotations

from contextlib import suppress

from provisioner.errors import LockHeld, ProvisionerError
from state.shelf import Conflict, Shelf, put
from state.store import KEPT


class ShelfStore:
    """One document under one key; its past is kept under the keys of a folder."""

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
        """Its text; what is saved next is written over this writing of it."""
        there = self._shelf.get(self._key)
        self._tag = there.tag if there else None
        return there.text if there else None

    def save(self, text: bytes) -> None:
        """Write over what was loaded or written last; LockHeld where somebody else has written since."""
        try:
            self._tag = put(self._shelf, self._key, text, self._tag)
        except Conflict as conflict:
            raise self._overtaken() from conflict
        self._claimed = False

    def remove(self) -> None:
        """Remove what was loaded or written last."""
        tag, self._claimed = self._tag, False
        if tag is None:
            return
        try:
            self._shelf.drop(self._key, tag)
        except Conflict as conflict:
            raise self._overtaken() from conflict
        self._tag = None

    def claim(self, text: bytes) -> bool:
        """Write the document with the new number: from here on, an earlier holder's writes are conflicts."""
        new = self._tag is None
        try:
            self._tag = put(self._shelf, self._key, text, self._tag)
        except Conflict:
            return False
        self._claimed = new
        return True

    def disclaim(self) -> None:
        """Remove a claim on what was not there before, and is not there now either."""
        # A claim is no ledger: where it cannot be removed, it is another's by now, or does no harm.
        with suppress(ProvisionerError):
            if self._claimed:
                self.remove()

    def put_aside(self, stamp: str) -> str:
        """Copy it to a key of its own, then remove it."""
        aside = ShelfStore(self._shelf, self._where, f"{self._key}.aside-{stamp}", self._past)
        aside.save(self.load() or b"")
        self.remove()
        return aside.where

    def keep(self, version: str, text: bytes) -> None:
        """Write it under a key of its own, and remove the oldest of these."""
        self._kept(version).save(text)
        for name in self.versions()[:-KEPT]:
            old = self._kept(name)
            old.load()
            old.remove()

    def rewrite(self, version: str, text: bytes) -> None:
        """Write over what stands under its key."""
        kept = self._kept(version)
        kept.load()
        kept.save(text)

    def versions(self) -> list[str]:
        """The keys in the folder of past documents."""
        return [key.removeprefix(self._past).removesuffix(".json") for key in self._shelf.keys(self._past)]

    def past(self, version: str) -> bytes | None:
        """The text under one of them."""
        return self._kept(version).load()

    def _kept(self, version: str) -> ShelfStore:
        return ShelfStore(self._shelf, self._where, f"{self._past}{version}.json", "")

    def _overtaken(self) -> LockHeld:
        return LockHeld(
            f"The state {self.where} was written by another run while this one worked.",
            "Nothing was written over it. When the other run has ended, run the same command again: it goes "
            "on from there.",
        )
