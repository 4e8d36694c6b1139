"""The backends: where the states, locks, earlier versions and reports of all stacks are stored.

Two kinds: `FolderArchive` for a local folder, `ShelfArchive` for an object store that a team shares.
"""

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

# A glob pattern of the timestamp in file names: a report of the stack `a-2` must not match the stack `a`.
_STAMP = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"


class Archive(Protocol):
    """The place where the states, locks, run records and teardown reports of all stacks are stored."""

    @property
    def where(self) -> str:
        """The folder, file or address, as it is shown in messages."""

    @property
    def runs(self) -> History:
        """The run records of all stacks."""

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have a state here."""

    def store(self, suffix: str) -> Store:
        """Return the store of one stack's state.

        Equal suffixes get the same object, because a store remembers which writing it loaded.
        """

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> Lock:
        """Return the lock of one stack, not yet taken.

        Args:
            suffix: The stack.
            command: The command that takes the lock, to be shown to others that wait for it.
            timeout: Seconds to wait for the lock while another run holds it.
            timer: The clock to wait by.

        """

    def reports(self, suffix: str) -> list[Store]:
        """Return the stores of a stack's teardown reports, oldest first."""

    def report(self, suffix: str, stamp: str) -> Store:
        """Return the store of the teardown report with this timestamp."""


class FolderArchive:
    """A backend of files in one folder; where `file` is given, that file is the only state."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._folder = file.parent if file else folder
        self._file = file
        self._stores: dict[str, FileStore] = {}

    @property
    def where(self) -> str:
        """The path of the file or the folder."""
        return str(self._file or self._folder)

    @property
    def runs(self) -> Runs:
        """The run records in the folder `runs`, beside the state files."""
        return Runs(self._folder / "runs")

    def suffixes(self) -> list[str]:
        """Return the names of the state files; for a single file, return the suffix that is written in it."""
        if self._file is None:
            return sorted(path.stem for path in self._folder.glob("*.json"))
        text = FileStore(self._file).load()
        return [Document.parse(text, str(self._file)).suffix] if text is not None else []

    def store(self, suffix: str) -> FileStore:
        """Return the store of the stack's state file.

        A symbolic link is resolved first, so that all runs that reach a file by links use the same lock.
        """
        path = self._file or self._folder / f"{suffix}.json"
        real = Path(os.path.realpath(path)) if path.is_symlink() else path
        return self._stores.setdefault(suffix, FileStore(real))

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> FileLock:
        """Return a lock on a hidden file beside the state file, held through the kernel (flock)."""
        path = self.store(suffix).path
        return FileLock(path.with_name(f".{path.stem}.lock"), command, timeout, timer)

    def reports(self, suffix: str) -> list[Store]:
        """Return the report files in the folder `reports`, beside the state files, oldest first."""
        found = (self._folder / "reports").glob(f"teardown-{suffix}-{_STAMP}.json")
        return [FileStore(path) for path in sorted(found)]

    def report(self, suffix: str, stamp: str) -> Store:
        """Return the store of one file in the folder `reports`."""
        return FileStore(self._folder / "reports" / f"teardown-{suffix}-{stamp}.json")


class ShelfArchive:
    """A backend of objects in a shared object store, under a prefix that is empty or ends in a slash."""

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
        """The run records under the prefix `runs/`."""
        return SharedRuns(self._shelf, self._root, f"{self._prefix}runs/")

    def suffixes(self) -> list[str]:
        """Return the names of the state objects directly under the prefix."""
        names = [key.removeprefix(self._prefix) for key in self._shelf.keys(self._prefix)]
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and "/" not in name]

    def store(self, suffix: str) -> ShelfStore:
        """Return the store of the object that holds the stack's state."""
        if suffix not in self._stores:
            self._stores[suffix] = self._at(f"{suffix}.json", f"history/{suffix}/")
        return self._stores[suffix]

    def lock(self, suffix: str, command: str, timeout: float, timer: Timer) -> LeaseLock:
        """Return a lock that is a lease, stored as an object beside the state."""
        key = f"{self._prefix}{suffix}.lock"
        return LeaseLock(self._shelf, key, f"{self._root}{key}", command, timeout, timer)

    def reports(self, suffix: str) -> list[Store]:
        """Return the report objects under the prefix `reports/`, oldest first."""
        begin = f"{self._prefix}reports/teardown-{suffix}-"
        keys = fnmatch.filter(self._shelf.keys(begin), f"*-{suffix}-{_STAMP}.json")
        return [self._at(key.removeprefix(self._prefix)) for key in keys]

    def report(self, suffix: str, stamp: str) -> Store:
        """Return the store of one object under the prefix `reports/`."""
        return self._at(f"reports/teardown-{suffix}-{stamp}.json")

    def _at(self, name: str, past: str = "") -> ShelfStore:
        return ShelfStore(self._shelf, self._root, f"{self._prefix}{name}", f"{self._prefix}{past}")
