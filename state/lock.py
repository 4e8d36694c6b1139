"""The lock on one stack: the protocol that all locks follow, and the file lock of a local state."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from provisioner.errors import LedgerError, LockHeld
from state.owner import Owner, held

_STEP = 0.2  # seconds between two tries


class Timer(Protocol):
    """The clock that a lock waits by."""

    def now(self) -> float:
        """Return monotonic seconds; they may stand still while the machine sleeps."""

    def wall(self) -> float:
        """Return the seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds."""


class Lock(AbstractContextManager["Lock"], Protocol):
    """A context manager that holds the lock of one stack while a run changes it.

    `fence` is a number that is higher for each later holder.
    """

    fence: int

    def check(self) -> None:
        """Raise if this run no longer holds the lock, or not for long enough.

        It is called before every call that changes AWS and before every write of the state, so that a run
        that lost its lock does neither.

        Raises:
            LockHeld: The lock was lost, or is about to expire.

        """

    def last(self) -> tuple[Owner | None, bool]:
        """Return the last holder, and whether the lock is held now; neither take the lock nor wait for it."""

    def break_open(self, owner: Owner) -> None:
        """Release the lock on behalf of `owner`, which stops calling and writing once it notices.

        Raises:
            LockHeld: The lock has another holder by now.

        """


class FileLock(Lock):
    """A lock on a file through the kernel (flock), which releases it when the process ends in any way."""

    def __init__(self, path: Path, command: str, timeout: float, timer: Timer) -> None:
        self._path = path
        self._command = command
        self._timeout = timeout
        self._timer = timer
        self._file: IO[str] | None = None
        self.fence = 0

    def __enter__(self) -> FileLock:
        self._file = self._opened()
        deadline = self._timer.now() + self._timeout
        while not _taken(self._file):
            if self._timer.now() >= deadline:
                holder = _owner(self._file)
                self._file.close()
                raise held(holder)
            self._timer.sleep(_STEP)
        try:
            self._sign(self._file)
        except OSError as error:
            self._file.close()
            raise self._unusable(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def check(self) -> None:
        """Raise if the lock file was removed or replaced, or holds another fencing number.

        Raises:
            LockHeld: The lock was lost.

        """
        if self._file is None or not self._is_ours(self._file):
            raise LockHeld(
                f"This run lost its lock {self._path}: the file was removed or replaced while it ran.",
                "Nothing more was called or written. See that no other run works on this stack, "
                "then run the same command again.",
            )

    def last(self) -> tuple[Owner | None, bool]:
        """Return the holder that the file names, and whether the lock is held now.

        If that process is known to be dead, the lock is not even tried, so as not to be in another run's way.
        """
        try:
            with open(self._path, encoding="utf-8") as file:
                owner = _owner(file)
                return owner, not (owner and owner.is_dead) and _is_held(file)
        except OSError:
            return None, False

    def break_open(self, owner: Owner) -> None:
        """Remove the lock file, so that the next run makes a new one and the present holder misses its own.

        Raises:
            LockHeld: The lock has another holder by now.

        """
        now, is_held = self.last()
        if is_held and now and now.fence != owner.fence:
            raise held(now)
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _is_ours(self, file: IO[str]) -> bool:
        try:
            there = os.stat(self._path)
        except OSError:  # it was removed, or the way to it is closed
            return False
        mine = os.fstat(file.fileno())
        signed = _owner(file)
        same = (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
        return same and signed is not None and signed.fence == self.fence

    def _opened(self) -> IO[str]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8")
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"The lock {self._path} cannot be taken or freed: {error.strerror or error}.",
            "Nothing was called. Make room or give rights there, or choose another place with --state.",
        )

    def _sign(self, file: IO[str]) -> None:
        # The former holder's entry is still in the file: each holder has a higher number than the one before.
        former = _owner(file)
        self.fence = (former.fence if former else 0) + 1
        text = Owner.me(self._command, self.fence).dump().encode()
        # Unbuffered: with a buffer, a full disk would raise a second error when the file is closed.
        if os.pwrite(file.fileno(), text, 0) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(file.fileno(), len(text))


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _owner(file: IO[str]) -> Owner | None:
    return Owner.parse(os.pread(file.fileno(), 1 << 16, 0))
