"""The holder of a lock: who took it, and whether that process has ended."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from state.errors import LockHeld
from state.serialization import fields_from_json, json_fields, validate_types

_PROC = Path("/proc")


@dataclass(frozen=True)
class LockHolder:
    """The process that holds a lock: host, person, command, since when, and its fencing number.

    `lease_seconds` is the number of seconds for which each heartbeat is valid. It is None for a lock that lasts as
    long as the process, and 0 once the lock was released.
    """

    host: str
    pid: int
    command: str
    since: str
    fencing_token: int = field(metadata={"json": "fence"})
    user: str = ""
    machine_id: str = field(default="", metadata={"json": "machine"})
    start_ticks: str = field(default="", metadata={"json": "started"})
    lease_seconds: float | None = field(default=None, metadata={"json": "lease"})
    heartbeat: int = field(default=0, metadata={"json": "beat"})

    @classmethod
    def this_process(cls, command: str, fence: int, lease: float | None = None) -> LockHolder:
        """Return the holder that stands for this process."""
        pid, now = os.getpid(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        identity = (socket.gethostname(), pid, command, now, fence, _user_name(), _machine_id(), _start_ticks(pid))
        return cls(*identity, lease_seconds=lease)

    @classmethod
    def parse(cls, text: str | bytes) -> LockHolder | None:
        """Return the holder that is written in `text`, or None if the text is not valid."""
        try:
            return validate_types(cls(**fields_from_json(cls, json.loads(text))))
        except (ValueError, TypeError, RecursionError):
            return None

    def dump(self) -> str:
        """Return the holder as one JSON line."""
        return json.dumps(json_fields(self)) + "\n"

    @property
    def is_dead(self) -> bool:
        """Whether its process has certainly ended; this can only be known of a process on this machine."""
        if not self.machine_id or self.machine_id != _machine_id():
            return False
        return not _is_running(self.pid) or _start_ticks(self.pid) not in ("", self.start_ticks)

    def __str__(self) -> str:
        """Return the holder as messages name it."""
        user_and_host = f"{self.user} on {self.host}" if self.user else self.host
        return f"`{self.command}` (process {self.pid} of {user_and_host}, since {self.since})"


def lock_held_error(holder: LockHolder | None) -> LockHeld:
    """Return the error of a stack that another run is changing."""
    return LockHeld(
        f"This stack is being changed by {holder or 'another run'}.",
        "Wait for it, or give `--lock-timeout 10m` to wait here. The lock of a dead process on this machine "
        "is free at once, that of another machine when its lease has run out.",
    )


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container a user id may have no name
        return str(os.getuid())


@cache
def _machine_id() -> str:
    """Return an id that processes share if they can see each other's process ids.

    A container counts as a machine of its own, because it has its own process ids.
    """
    try:
        boot_id = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot_id}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _proc_stat(pid)[:1] != ["Z"]


def _start_ticks(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; "" if the system does not say."""
    fields = _proc_stat(pid)
    return fields[19] if fields else ""


def _proc_stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat that follow the name (man 5 proc).

    The process state is the first of them, its start time the twentieth.
    """
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
