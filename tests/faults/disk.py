"""Faults at the disk: the nth write of the ledger fails, or the process dies in it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from state.state_store import FileStateStore
from tests.faults.case import LEDGER, InjectedFault
from tests.faults.wire import Wire

_ERRORS = {"disk_full": errno.ENOSPC, "read_only": errno.EROFS}


class FaultyDisk:
    """Counts the writes beside the stack; one that failed fails on until the next process."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.writes = 0
        # Whether the ledger met the fault, or what a run begins with; how its record goes on ends no run.
        self.refused = False
        # Told before each write.
        self.meets: Callable[[], None] | None = None
        self._broken = 0
        self._strikes: dict[int, str] = {}
        self._counting = threading.Lock()

    def arm(self, strikes: Iterable[InjectedFault]) -> None:
        """Count from now on."""
        self.writes = self._broken = 0
        self.refused = False
        self._strikes = {one.nth: one.fault for one in strikes if one.operation == LEDGER}

    def revive(self) -> None:
        """Somebody made room."""
        self._broken = 0

    def strike(self) -> str:
        """Count a write; the fault that meets it, "" for none."""
        self.wire.acts()
        if self.meets:
            self.meets()
        with self._counting:
            self.writes += 1
            fault = self._strikes.get(self.writes, "")
        if fault:
            self.wire.note()
        self._broken = self._broken or _ERRORS.get(fault, 0)
        return fault

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, every write goes by this disk."""
        really = FileStateStore._replace

        def replace(store: FileStateStore, text: bytes) -> None:
            self.wire.check()
            fault = self.strike()
            if self._broken:
                self.refused |= store._noun == "state file" or not store.path.exists()
                raise OSError(self._broken, os.strerror(self._broken))
            if fault == "kill_before_rename":
                raise self.wire.kill()
            really(store, text)
            if fault == "kill_after_rename":
                raise self.wire.kill()

        with patch.object(FileStateStore, "_replace", replace):
            yield
