"""A process of this machine that is held on to, so that its number cannot become another's meanwhile."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from types import TracebackType
from typing import Self


class HeldProcess:
    """Holds a process by a descriptor where the kernel has such (pidfd_open(2)), else by number."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None

    def __enter__(self) -> Self:
        """Take hold of it; raise ProcessLookupError where there is none of that number."""
        reap(self.pid)
        os.kill(self.pid, 0)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a kernel without pidfd: the number must do
                self._handle = os.pidfd_open(self.pid)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def send(self, sign: signal.Signals) -> None:
        """Send a signal to it, and to no later process of its number."""
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "linux" and self._handle is not None:
                signal.pidfd_send_signal(self._handle, sign)
            else:
                os.kill(self.pid, sign)

    def gone_within(self, seconds: float) -> bool:
        """Wait for its end, at most so long."""
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
    """Take note of the end of a child of ours, or it would seem to be alive."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def alive(pid: int) -> bool:
    """Whether a process of that number runs that we may signal."""
    reap(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    return True
