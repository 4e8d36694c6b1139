"""The lock on one stack: the protocol that all locks follow, and the file lock of a local state."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from state.errors import LockHeld, StateError
from state.lock_holder import LockHolder, lock_held_error

log = logging.getLogger(__name__)

_FILE_POLL_SECONDS = 0.2  # seconds between two tries


class LockClock(Protocol):
    """The clock that a lock waits by."""

    def now(self) -> float:
        """Return monotonic seconds; they may stand still while the machine sleeps."""

    def wall(self) -> float:
        """Return the seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds."""


class Lock(AbstractContextManager["Lock"], Protocol):
    """A context manager that holds the lock of one stack while a run changes it.

    `fencing_token` is a number that is higher for each later holder.
    """

    fencing_token: int

    def ensure_held(self) -> None:
        """Raise if this run no longer holds the lock, or not for long enough.

        It is called before every call that changes AWS and before every write of the state, so that a run
        that lost its lock does neither.

        Raises:
            LockHeld: The lock was lost, or is about to expire.

        """

    def last_holder(self) -> tuple[LockHolder | None, bool]:
        """Return the last holder, and whether the lock is held now; neither take the lock nor wait for it."""

    def force_unlock(self, holder: LockHolder) -> None:
        """Release the lock on behalf of `holder`, which stops calling and writing once it notices.

        Raises:
            LockHeld: The lock has another holder by now.

        """


class FileLock(Lock):
    """A lock on a file through the kernel (flock), which releases it when the process ends in any way."""

    def __init__(self, path: Path, command: str, timeout: float, clock: LockClock) -> None:
        self._path = path
        self._command = command
        self._timeout = timeout
        self._clock = clock
        self._file: IO[str] | None = None
        self.fencing_token = 0

    def __enter__(self) -> FileLock:
        self._file = self._open()
        deadline = self._clock.now() + self._timeout
        while not _try_exclusive_flock(self._file):
            if self._clock.now() >= deadline:
                holder = _read_holder(self._file)
                self._file.close()
                raise lock_held_error(holder)
            self._clock.sleep(_FILE_POLL_SECONDS)
        try:
            self._write_holder(self._file)
        except OSError as error:
            self._file.close()
            raise self._lock_error(error) from error
        log.debug("lock taken, fencing token %d", self.fencing_token)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
            log.debug("lock released, fencing token %d", self.fencing_token)

    def ensure_held(self) -> None:
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

    def last_holder(self) -> tuple[LockHolder | None, bool]:
        """Return the holder that the file names, and whether the lock is held now.

        If that process is known to be dead, the lock is not even tried, so as not to be in another run's way.
        """
        try:
            with open(self._path, encoding="utf-8") as file:
                holder = _read_holder(file)
                return holder, not (holder and holder.is_dead) and _is_flocked(file)
        except OSError:
            return None, False

    def force_unlock(self, holder: LockHolder) -> None:
        """Remove the lock file, so that the next run makes a new one and the present holder misses its own.

        Raises:
            LockHeld: The lock has another holder by now.

        """
        holder_now, is_held = self.last_holder()
        if is_held and holder_now and holder_now.fencing_token != holder.fencing_token:
            raise lock_held_error(holder_now)
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._lock_error(error) from error

    def _is_ours(self, file: IO[str]) -> bool:
        try:
            on_disk = os.stat(self._path)
        except OSError:  # it was removed, or the way to it is closed
            return False
        opened = os.fstat(file.fileno())
        holder = _read_holder(file)
        is_same_file = (on_disk.st_dev, on_disk.st_ino) == (opened.st_dev, opened.st_ino)
        return is_same_file and holder is not None and holder.fencing_token == self.fencing_token

    def _open(self) -> IO[str]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8")
        except OSError as error:
            raise self._lock_error(error) from error

    def _lock_error(self, error: OSError) -> StateError:
        return StateError(
            f"The lock {self._path} cannot be taken or freed: {error.strerror or error}.",
            "Nothing was called. Make room or give rights there, or choose another place with --state.",
        )

    def _write_holder(self, file: IO[str]) -> None:
        # The former holder's entry is still in the file: each holder has a higher number than the one before.
        previous = _read_holder(file)
        self.fencing_token = (previous.fencing_token if previous else 0) + 1
        text = LockHolder.this_process(self._command, self.fencing_token).dump().encode()
        # Unbuffered: with a buffer, a full disk would raise a second error when the file is closed.
        if os.pwrite(file.fileno(), text, 0) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(file.fileno(), len(text))


def _try_exclusive_flock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_flocked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _read_holder(file: IO[str]) -> LockHolder | None:
    return LockHolder.parse(os.pread(file.fileno(), 1 << 16, 0))
