"""The records of earlier runs in the object store that a team shares, from all of its machines."""

from __future__ import annotations

from dataclasses import dataclass

from state.runs import KEPT, Doc, Name, checked, parsed, run_at, text_of
from state.shelf import Shelf
from state.shelf_store import ShelfStore


@dataclass(frozen=True)
class SharedRuns:
    """The run records of a team: one object per run, under a prefix that ends in a slash."""

    shelf: Shelf
    root: str
    prefix: str

    def new(self, suffix: str, at: float) -> ShelfStore:
        """Return the store for the record of a run that began at this wall-clock second."""
        return self._at(Name(suffix, run_at(at)))

    def save(self, store: ShelfStore, doc: Doc) -> None:
        """Write a record; it may only replace a record that this run has written before."""
        store.save(text_of(doc))

    def put(self, name: Name, doc: Doc) -> None:
        """Write a record, whether one of that name exists or not."""
        store = self._at(name)
        store.load()
        store.save(text_of(doc))

    def let_go(self, suffix: str) -> None:
        """Delete the oldest records of a stack."""
        for old in map(self._at, self.names(suffix)[KEPT:]):
            old.load()
            old.remove()

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""
        return sorted({name.suffix for name in self.names("*")})

    def names(self, suffix: str) -> list[Name]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""
        begin = self.prefix if suffix == "*" else f"{self.prefix}{suffix}/"
        keys = [key.removeprefix(self.prefix) for key in self.shelf.keys(begin)]
        pairs = [key.removesuffix(".json").split("/") for key in keys if key.endswith("Z.json")]
        return sorted((Name(*pair) for pair in pairs if len(pair) == _PARTS), key=_begun, reverse=True)

    def read(self, name: Name) -> Doc:
        """Return one validated record.

        Raises:
            LedgerError: The record is damaged.

        """
        store = self._at(name)
        return checked(parsed(store.load() or b"", store.where), store.where)

    def _at(self, name: Name) -> ShelfStore:
        return ShelfStore(self.shelf, self.root, f"{self.prefix}{name.suffix}/{name.run}.json", "")


_PARTS = 2  # a key has two parts: the stack and the run


def _begun(name: Name) -> str:
    return name.run
