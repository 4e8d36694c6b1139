"""The backends: where the states, locks, earlier versions and reports of all stacks are stored.

Two kinds: `FileBackend` for a local folder, `S3Backend` for an object store that a team shares.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Protocol

from state.lease import LeaseLock
from state.lock import FileLock, Lock, LockClock
from state.object_store import ObjectStateStore, ObjectStore
from state.run_store import FileRunStore, RunHistory, S3RunStore
from state.stack_state import StackState
from state.state_store import FileStateStore, StateStore

# A glob pattern of the timestamp in file names: a report of the stack `a-2` must not match the stack `a`.
_STAMP = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"


class Backend(Protocol):
    """The place where the states, locks, run records and teardown reports of all stacks are stored."""

    @property
    def description(self) -> str:
        """The folder, file or address, as it is shown in messages."""

    @property
    def runs(self) -> RunHistory:
        """The run records of all stacks."""

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have a state here."""

    def store(self, suffix: str) -> StateStore:
        """Return the store of one stack's state.

        Equal suffixes get the same object, because a store remembers which writing it loaded.
        """

    def lock(self, suffix: str, command: str, timeout: float, clock: LockClock) -> Lock:
        """Return the lock of one stack, not yet taken.

        Args:
            suffix: The stack.
            command: The command that takes the lock, to be shown to others that wait for it.
            timeout: Seconds to wait for the lock while another run holds it.
            clock: The clock to wait by.

        """

    def reports(self, suffix: str) -> list[StateStore]:
        """Return the stores of a stack's teardown reports, oldest first."""

    def report(self, suffix: str, stamp: str) -> StateStore:
        """Return the store of the teardown report with this timestamp."""


class FileBackend:
    """A backend of files in one folder; where `file` is given, that file is the only state."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._folder = file.parent if file else folder
        self._file = file
        self._stores: dict[str, FileStateStore] = {}

    @property
    def description(self) -> str:
        """The path of the file or the folder."""
        return str(self._file or self._folder)

    @property
    def runs(self) -> FileRunStore:
        """The run records in the folder `runs`, beside the state files."""
        return FileRunStore(self._folder / "runs")

    def suffixes(self) -> list[str]:
        """Return the names of the state files; for a single file, return the suffix that is written in it."""
        if self._file is None:
            return sorted(path.stem for path in self._folder.glob("*.json"))
        text = FileStateStore(self._file).load()
        return [StackState.parse(text, str(self._file)).suffix] if text is not None else []

    def store(self, suffix: str) -> FileStateStore:
        """Return the store of the stack's state file.

        A symbolic link is resolved first, so that all runs that reach a file by links use the same lock.
        """
        path = self._file or self._folder / f"{suffix}.json"
        real_path = Path(os.path.realpath(path)) if path.is_symlink() else path
        return self._stores.setdefault(suffix, FileStateStore(real_path))

    def lock(self, suffix: str, command: str, timeout: float, clock: LockClock) -> FileLock:
        """Return a lock on a hidden file beside the state file, held through the kernel (flock)."""
        path = self.store(suffix).path
        return FileLock(path.with_name(f".{path.stem}.lock"), command, timeout, clock)

    def reports(self, suffix: str) -> list[StateStore]:
        """Return the report files in the folder `reports`, beside the state files, oldest first."""
        paths = (self._folder / "reports").glob(f"teardown-{suffix}-{_STAMP}.json")
        return [FileStateStore(path) for path in sorted(paths)]

    def report(self, suffix: str, stamp: str) -> StateStore:
        """Return the store of one file in the folder `reports`."""
        return FileStateStore(self._folder / "reports" / f"teardown-{suffix}-{stamp}.json")


class S3Backend:
    """A backend of objects in a shared object store, under a prefix that is empty or ends in a slash."""

    def __init__(self, object_store: ObjectStore, root: str, prefix: str) -> None:
        self._object_store = object_store
        self._root = root
        self._prefix = prefix
        self._stores: dict[str, ObjectStateStore] = {}

    @property
    def description(self) -> str:
        """The address of the prefix."""
        return f"{self._root}{self._prefix}"

    @property
    def runs(self) -> S3RunStore:
        """The run records under the prefix `runs/`."""
        return S3RunStore(self._object_store, self._root, f"{self._prefix}runs/")

    def suffixes(self) -> list[str]:
        """Return the names of the state objects directly under the prefix."""
        names = [key.removeprefix(self._prefix) for key in self._object_store.list_keys(self._prefix)]
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and "/" not in name]

    def store(self, suffix: str) -> ObjectStateStore:
        """Return the store of the object that holds the stack's state."""
        if suffix not in self._stores:
            self._stores[suffix] = self._object_at(f"{suffix}.json", f"history/{suffix}/")
        return self._stores[suffix]

    def lock(self, suffix: str, command: str, timeout: float, clock: LockClock) -> LeaseLock:
        """Return a lock that is a lease, stored as an object beside the state."""
        key = f"{self._prefix}{suffix}.lock"
        return LeaseLock(self._object_store, key, f"{self._root}{key}", command, timeout, clock)

    def reports(self, suffix: str) -> list[StateStore]:
        """Return the report objects under the prefix `reports/`, oldest first."""
        key_prefix = f"{self._prefix}reports/teardown-{suffix}-"
        keys = fnmatch.filter(self._object_store.list_keys(key_prefix), f"*-{suffix}-{_STAMP}.json")
        return [self._object_at(key.removeprefix(self._prefix)) for key in keys]

    def report(self, suffix: str, stamp: str) -> StateStore:
        """Return the store of one object under the prefix `reports/`."""
        return self._object_at(f"reports/teardown-{suffix}-{stamp}.json")

    def _object_at(self, name: str, versions_prefix: str = "") -> ObjectStateStore:
        return ObjectStateStore(
            self._object_store, self._root, f"{self._prefix}{name}", f"{self._prefix}{versions_prefix}"
        )
