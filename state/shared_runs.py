"""The records of earlier runs on a shelf that a team shares: whoever ran them, wherever."""

from __future__ import annotations

from dataclasses import dataclass

from state.runs import KEPT, Doc, Name, checked, parsed, run_at, text_of
from state.shelf import Shelf
from state.shelf_store import ShelfStore


@dataclass(frozen=True)
class SharedRuns:
    """A key a run, under a prefix that ends in a slash."""

    shelf: Shelf
    root: str
    prefix: str

    def new(self, suffix: str, at: float) -> ShelfStore:
        """The key of a run that began at this wall-clock second."""
        return self._at(Name(suffix, run_at(at)))

    def save(self, store: ShelfStore, doc: Doc) -> None:
        """Write a record over what this run has written of it before."""
        store.save(text_of(doc))

    def put(self, name: Name, doc: Doc) -> None:
        """Write a whole record, whether one of that name is there or not."""
        store = self._at(name)
        store.load()
        store.save(text_of(doc))

    def let_go(self, suffix: str) -> None:
        """Remove the oldest records of a stack."""
        for old in map(self._at, self.names(suffix)[KEPT:]):
            old.load()
            old.remove()

    def suffixes(self) -> list[str]:
        """The stacks that have left records, whether they still stand or not."""
        return sorted({name.suffix for name in self.names("*")})

    def names(self, suffix: str) -> list[Name]:
        """The names of a stack's runs, of those of all with `*`; newest first."""
        begin = self.prefix if suffix == "*" else f"{self.prefix}{suffix}/"
        keys = [key.removeprefix(self.prefix) for key in self.shelf.keys(begin)]
        pairs = [key.removesuffix(".json").split("/") for key in keys if key.endswith("Z.json")]
        return sorted((Name(*pair) for pair in pairs if len(pair) == _PARTS), key=_begun, reverse=True)

    def read(self, name: Name) -> Doc:
        """The record under one key."""
        store = self._at(name)
        return checked(parsed(store.load() or b"", store.where), store.where)

    def _at(self, name: Name) -> ShelfStore:
        return ShelfStore(self.shelf, self.root, f"{self.prefix}{name.suffix}/{name.run}.json", "")


_PARTS = 2  # the stack and the run


def _begun(name: Name) -> str:
    return name.run
