"""A handle of a local process, so that a signal cannot reach a later process with the same id."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from types import TracebackType
from typing import Self


class ProcessHandle:
    """A handle of a process: a pidfd where the kernel has them (pidfd_open(2)), else only the process id."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None

    def __enter__(self) -> Self:
        """Open the handle.

        Raises:
            ProcessLookupError: No process has this id.

        """
        reap(self.pid)
        os.kill(self.pid, 0)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a kernel without pidfd: use the process id
                self._handle = os.pidfd_open(self.pid)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to the process, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "linux" and self._handle is not None:
                signal.pidfd_send_signal(self._handle, sign)
            else:
                os.kill(self.pid, sign)

    def gone_within(self, seconds: float) -> bool:
        """Wait up to `seconds` for the process to end; return whether it did."""
        if self._handle is not None:
            ended, _, _ = select.select([self._handle], [], [], seconds)
            reap(self.pid)
            return bool(ended)
        deadline = time.monotonic() + seconds
        while alive(self.pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def reap(pid: int) -> None:
    """Collect the exit status of a child that has ended; otherwise, as a zombie, it would seem alive."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def alive(pid: int) -> bool:
    """Return whether a process with this id runs and this user may signal it."""
    reap(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    return True
