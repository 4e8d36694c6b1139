"""Disk faults: the nth write of a state file fails, or the process is killed in it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from state.state_store import FileStateStore
from tests.faults.fault_case import STATE_WRITE, InjectedFault
from tests.faults.wire import Wire

_ERRORS = {"disk_full": errno.ENOSPC, "read_only": errno.EROFS}


class FaultyDisk:
    """Counts the writes of files; after one that failed, all fail until the next process."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.writes = 0
        # Whether the state file or a new file met the fault; a failed update of the run record ends no run.
        self.state_write_failed = False
        # Called before each write.
        self.on_write: Callable[[], None] | None = None
        self._errno = 0
        self._faults: dict[int, str] = {}
        self._lock = threading.Lock()

    def arm(self, faults: Iterable[InjectedFault]) -> None:
        """Count writes from now on, and fail as `faults` say."""
        self.writes = self._errno = 0
        self.state_write_failed = False
        self._faults = {one.nth: one.fault for one in faults if one.operation == STATE_WRITE}

    def reset_failure(self) -> None:
        """End a disk failure."""
        self._errno = 0

    def next_fault(self) -> str:
        """Count a write; return its fault, "" for none."""
        self.wire.before_change()
        if self.on_write:
            self.on_write()
        with self._lock:
            self.writes += 1
            fault = self._faults.get(self.writes, "")
        if fault:
            self.wire.fault_fired()
        self._errno = self._errno or _ERRORS.get(fault, 0)
        return fault

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Let every write of a file go through this disk."""
        original = FileStateStore._replace

        def replace(store: FileStateStore, text: bytes) -> None:
            self.wire.check()
            fault = self.next_fault()
            if self._errno:
                self.state_write_failed |= store._noun == "state file" or not store.path.exists()
                raise OSError(self._errno, os.strerror(self._errno))
            if fault == "kill_before_rename":
                raise self.wire.kill()
            original(store, text)
            if fault == "kill_after_rename":
                raise self.wire.kill()

        with patch.object(FileStateStore, "_replace", replace):
            yield
