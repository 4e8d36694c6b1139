"""The lock on one stack: an OS lock for the life of the process, with its owner written into it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from provisioner.errors import LockHeld


@dataclass(frozen=True)
class Owner:
    """Who holds a lock: host, process, what it runs, and since when."""

    host: str
    pid: int
    command: str
    since: str
    fence: int


class FileLock:
    """Held while a run changes the stack; the kernel releases it when the process ends, however it ends."""

    def __init__(
        self,
        path: Path,
        command: str,
        timeout: float = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._command = command
        self._timeout = timeout
        self._sleep = sleep
        self._file: IO[str] | None = None
        self.fence = 0

    def __enter__(self) -> FileLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._path, "a+", encoding="utf-8")
        deadline = time.monotonic() + self._timeout
        while not self._taken(self._file):
            if time.monotonic() >= deadline:
                holder = _owner(self._file)
                self._file.close()
                raise _held(holder)
            self._sleep(0.2)
        self._sign(self._file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    @staticmethod
    def _taken(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _sign(self, file: IO[str]) -> None:
        former = _owner(file)
        self.fence = (former.fence if former else 0) + 1
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        file.truncate(0)
        json.dump(asdict(Owner(socket.gethostname(), os.getpid(), self._command, now, self.fence)), file)
        file.flush()


def _owner(file: IO[str]) -> Owner | None:
    file.seek(0)
    try:
        return Owner(**json.load(file))
    except (ValueError, TypeError):
        return None


def _held(owner: Owner | None) -> LockHeld:
    who = (
        f"`{owner.command}` (process {owner.pid} on {owner.host}, since {owner.since})"
        if owner
        else "another run"
    )
    return LockHeld(
        f"This stack is being changed by {who}.",
        "Wait for it, or give `--lock-timeout 10m` to wait here. The lock of a dead process is free at once.",
    )
