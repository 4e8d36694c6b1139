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

from provisioner.errors import LedgerError, LockHeld


@dataclass(frozen=True)
class Owner:
    """Who holds a lock: host, process, what it runs, and since when."""

    host: str
    pid: int
    command: str
    since: str
    fence: int

    def __str__(self) -> str:
        """As a message names it."""
        return f"`{self.command}` (process {self.pid} on {self.host}, since {self.since})"


def last_owner(path: Path) -> tuple[Owner | None, bool]:
    """Who took the lock last, and whether it is held now; takes nothing and waits for nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            owner = _owner(file)
            return owner, owner is not None and _is_alive(owner) and _is_held(file)
    except OSError:
        return None, False


def _is_alive(owner: Owner) -> bool:
    """Whether the process may run: a dead one's lock is not even tried, so that nobody is in its way."""
    if owner.host != socket.gethostname():
        return True
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_held(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


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
        self._file = self._opened()
        deadline = time.monotonic() + self._timeout
        while not self._taken(self._file):
            if time.monotonic() >= deadline:
                holder = _owner(self._file)
                self._file.close()
                raise _held(holder)
            self._sleep(0.2)
        try:
            self._sign(self._file)
        except OSError as error:
            self._file.close()
            raise self._unusable(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def check(self) -> None:
        """LockHeld where the lock is no longer ours: its file was removed, or another run signed it.

        Asked before every call that changes AWS and before every write of the ledger, so that a run
        that lost its lock does neither.
        """
        if self._file is None or not self._is_ours(self._file):
            raise LockHeld(
                f"This run lost its lock {self._path}: the file was removed or replaced while it ran.",
                "Nothing more was called or written. See that no other run works on this stack, "
                "then run the same command again.",
            )

    def _is_ours(self, file: IO[str]) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        held = os.fstat(file.fileno())
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def _opened(self) -> IO[str]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return open(self._path, "a+", encoding="utf-8")
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"The lock {self._path} cannot be taken: {error.strerror or error}.",
            "Nothing was called. Make room or give rights there, or choose another place with --state.",
        )

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
    return LockHeld(
        f"This stack is being changed by {owner or 'another run'}.",
        "Wait for it, or give `--lock-timeout 10m` to wait here. The lock of a dead process is free at once.",
    )
