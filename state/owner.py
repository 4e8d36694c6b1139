"""The holder of a lock: who took it, and whether that process has ended."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from provisioner.errors import LockHeld
from state.fitting import fitting
from state.json_fields import by_name, json_fields

_PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """The process that holds a lock: host, person, command, since when, and its fencing number.

    `lease` is the number of seconds for which each heartbeat is valid. It is None for a lock that lasts as
    long as the process, and 0 once the lock was released.
    """

    host: str
    pid: int
    command: str
    since: str
    fence: int
    user: str = ""
    machine: str = ""
    started: str = ""
    lease: float | None = None
    beat: int = 0

    @classmethod
    def me(cls, command: str, fence: int, lease: float | None = None) -> Owner:
        """Return the holder that stands for this process."""
        pid, now = os.getpid(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        mine = (socket.gethostname(), pid, command, now, fence, _user(), _machine(), _started(pid))
        return cls(*mine, lease=lease)

    @classmethod
    def parse(cls, text: str | bytes) -> Owner | None:
        """Return the holder that is written in `text`, or None if the text is not valid."""
        try:
            return fitting(cls(**by_name(cls, json.loads(text))))
        except (ValueError, TypeError, RecursionError):
            return None

    def dump(self) -> str:
        """Return the holder as one JSON line."""
        return json.dumps(json_fields(self)) + "\n"

    @property
    def is_dead(self) -> bool:
        """Whether its process has certainly ended; this can only be known of a process on this machine."""
        if not self.machine or self.machine != _machine():
            return False
        return not _runs(self.pid) or _started(self.pid) not in ("", self.started)

    def __str__(self) -> str:
        """Return the holder as messages name it."""
        person = f"{self.user} on {self.host}" if self.user else self.host
        return f"`{self.command}` (process {self.pid} of {person}, since {self.since})"


def held(owner: Owner | None) -> LockHeld:
    """Return the error of a stack that another run is changing."""
    return LockHeld(
        f"This stack is being changed by {owner or 'another run'}.",
        "Wait for it, or give `--lock-timeout 10m` to wait here. The lock of a dead process on this machine "
        "is free at once, that of another machine when its lease has run out.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container a user id may have no name
        return str(os.getuid())


@cache
def _machine() -> str:
    """Return an id that processes share if they can see each other's process ids.

    A container counts as a machine of its own, because it has its own process ids.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _stat(pid)[:1] != ["Z"]


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; "" if the system does not say."""
    told = _stat(pid)
    return told[19] if told else ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat that follow the name (man 5 proc).

    The process state is the first of them, its start time the twentieth.
    """
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
