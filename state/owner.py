"""Who holds a lock: enough to name them, and to know that they are dead where they were of this machine."""

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

_PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """Host, process, person and command, since when, and the fencing number.

    `lease` is for how many seconds each heartbeat holds; None where the lock lasts as long as the process,
    0 where it was given back.
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
        """The process that asks."""
        pid, now = os.getpid(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        mine = (socket.gethostname(), pid, command, now, fence, _user(), _machine(), _started(pid))
        return cls(*mine, lease=lease)

    @classmethod
    def parse(cls, text: str | bytes) -> Owner | None:
        """The owner in `text`; None where it tells of none."""
        try:
            return fitting(cls(**json.loads(text)))
        except (ValueError, TypeError, RecursionError):
            return None

    def dump(self) -> str:
        """The owner as one JSON line."""
        return json.dumps(vars(self)) + "\n"

    @property
    def is_dead(self) -> bool:
        """Whether its process has certainly ended: only one of this machine can be known to have."""
        if not self.machine or self.machine != _machine():
            return False
        return not _runs(self.pid) or _started(self.pid) not in ("", self.started)

    def __str__(self) -> str:
        """As a message names it."""
        person = f"{self.user} on {self.host}" if self.user else self.host
        return f"`{self.command}` (process {self.pid} of {person}, since {self.since})"


def held(owner: Owner | None) -> LockHeld:
    """The one sentence for a stack that somebody else is changing."""
    return LockHeld(
        f"This stack is being changed by {owner or 'another run'}.",
        "Wait for it, or give `--lock-timeout 10m` to wait here. The lock of a dead process on this machine "
        "is free at once, that of another machine when its lease has run out.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return str(os.getuid())


@cache
def _machine() -> str:
    """What processes have in common that see each other's numbers; a container is a machine of its own."""
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
    """When a process started, in ticks since the boot; "" where the system does not tell."""
    told = _stat(pid)
    return told[19] if told else ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state first, start as the twentieth (man 5 proc)."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
