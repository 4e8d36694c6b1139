"""An archive: the ledgers, locks, past documents and reports of all stacks; in a folder, or on a shelf."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Protocol

from state.document import Document
from state.lease import LeaseLock
from state.lock import FileLock, Lock, Timer
from state.runs import History, Runs
from state.shared_runs import SharedRuns
from state.shelf import Shelf
from state.shelf_store import ShelfStore
from state.store import FileStore, Store

# The time as it stands in names, as a pattern: the stack `a-2` is none of `a`.
_STAMP = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"


class Archive(Protocol):
    """What is kept of every stack."""

    @property
    def where(self) -> str:
        """The place in words."""

    @property
    def runs(self) -> History:
        """The records of the runs of all stacks."""

    def suffixes(self) -> list[str]:
        """The stacks that have a ledger here."""

    def store(self, suffix: str) -> Store:
        """Where one stack's ledger is; always the same one, as it knows what it loaded."""

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> Lock:
        """The lock on one stack."""

    def reports(self, suffix: str) -> list[Store]:
        """The reports of a stack's teardowns, oldest first."""

    def report(self, suffix: str, stamp: str) -> Store:
        """Where one report is."""


class FolderArchive:
    """Files in a folder; with `file`, that one is the only ledger."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._folder = file.parent if file else folder
        self._file = file
        self._stores: dict[str, FileStore] = {}

    @property
    def where(self) -> str:
        """The file or the folder."""
        return str(self._file or self._folder)

    @property
    def runs(self) -> Runs:
        """A folder beside the ledgers."""
        return Runs(self._folder / "runs")

    def suffixes(self) -> list[str]:
        """The names of the files; the one file is asked."""
        if self._file is None:
            return sorted(path.stem for path in self._folder.glob("*.json"))
        text = FileStore(self._file).load()
        return [Document.parse(text, str(self._file)).suffix] if text is not None else []

    def store(self, suffix: str) -> FileStore:
        """A file; of a link the file it leads to, so that all who come by links meet at one lock."""
        path = self._file or self._folder / f"{suffix}.json"
        real = Path(os.path.realpath(path)) if path.is_symlink() else path
        return self._stores.setdefault(suffix, FileStore(real))

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> FileLock:
        """A file that the kernel locks."""
        path = self.store(suffix).path
        return FileLock(path.with_name(f".{path.stem}.lock"), command, timeout, timer)

    def reports(self, suffix: str) -> list[Store]:
        """The files of a folder beside the ledgers."""
        found = (self._folder / "reports").glob(f"teardown-{suffix}-{_STAMP}.json")
        return [FileStore(path) for path in sorted(found)]

    def report(self, suffix: str, stamp: str) -> Store:
        """A file in that folder."""
        return FileStore(self._folder / "reports" / f"teardown-{suffix}-{stamp}.json")


class ShelfArchive:
    """Keys under a prefix of a shelf that a team shares; the prefix is empty or ends in a slash."""

    def __init__(self, shelf: Shelf, root: str, prefix: str) -> None:
        self._shelf = shelf
        self._root = root
        self._prefix = prefix
        self._stores: dict[str, ShelfStore] = {}

    @property
    def where(self) -> str:
        """The address of the prefix."""
        return f"{self._root}{self._prefix}"

    @property
    def runs(self) -> SharedRuns:
        """Keys of a folder under the prefix."""
        return SharedRuns(self._shelf, self._root, f"{self._prefix}runs/")

    def suffixes(self) -> list[str]:
        """The keys directly under the prefix."""
        names = [key.removeprefix(self._prefix) for key in self._shelf.keys(self._prefix)]
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and "/" not in name]

    def store(self, suffix: str) -> ShelfStore:
        """A key under the prefix."""
        if suffix not in self._stores:
            self._stores[suffix] = self._at(f"{suffix}.json", f"history/{suffix}/")
        return self._stores[suffix]

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> LeaseLock:
        """A key that holds a lease."""
        key = f"{self._prefix}{suffix}.lock"
        return LeaseLock(self._shelf, key, f"{self._root}{key}", command, timeout, timer)

    def reports(self, suffix: str) -> list[Store]:
        """The keys of a folder under the prefix."""
        begin = f"{self._prefix}reports/teardown-{suffix}-"
        keys = fnmatch.filter(self._shelf.keys(begin), f"*-{suffix}-{_STAMP}.json")
        return [self._at(key.removeprefix(self._prefix)) for key in keys]

    def report(self, suffix: str, stamp: str) -> Store:
        """A key in that folder."""
        return self._at(f"reports/teardown-{suffix}-{stamp}.json")

    def _at(self, name: str, past: str = "") -> ShelfStore:
        return ShelfStore(self._shelf, self._root, f"{self._prefix}{name}", f"{self._prefix}{past}")
