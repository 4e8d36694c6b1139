"""A case in a process of its own: it begins with all its parent has, changes nothing of it, and may hang."""

from __future__ import annotations

import json
import os
import reprlib
import resource
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, NoReturn

WENT_WRONG, TOO_LONG = 70, 71
# Whoever is asked where it hangs answers within seconds, or cannot.
_ANSWERS_WITHIN = 10.0
# The frames that tell which thing is waited for; those of libraries tell nothing.
_TELLING = "provisioner/engine/"


# How much longer than by its own time a child may take on a machine that has other things to do.
CROWDED = 5
# Who sleeps for so many looks and computes nothing hangs: one that only gets no turn does not sleep.
_LOOK_EVERY, _ASLEEP = 5.0, 6


class TooLong(Exception):
    """It computed for its deadline, or hung; the text says where each of its threads was."""


@dataclass(frozen=True)
class Child:
    """A process that goes on from where its parent is, as its parent knows it."""

    pid: int
    pipe: int

    def tells(self, deadline: float) -> Any:
        """What it hands over at its end, through JSON.

        Raises:
            TooLong: It computes for `deadline` seconds, or hangs.
        """
        told, in_time = _told(self.pipe, self.pid, monotonic() + deadline * CROWDED)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if not in_time or code == TOO_LONG:
            raise TooLong(told.decode())
        if code:
            raise RuntimeError(f"a case broke the tests themselves: {told.decode()}")
        return json.loads(told)


@dataclass(frozen=True)
class Myself:
    """A child, as it knows itself."""

    pipe: int

    def end(self, work: Callable[[], Any]) -> NoReturn:
        """Hand over what `work` gives, and end this process."""
        code = 0
        try:
            text = json.dumps(work())
        except BaseException:  # noqa: BLE001 - told to the parent, and then this process ends
            text, code = traceback.format_exc(), WENT_WRONG
        _end(self.pipe, text, code)


def split(deadline: float) -> Child | Myself:
    """Go on twice from here, with all that there is; who goes on is told who it is."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return Child(pid, ours)
    os.close(ours)
    resource.setrlimit(resource.RLIMIT_CPU, (int(deadline), resource.RLIM_INFINITY))
    for late in (signal.SIGXCPU, signal.SIGUSR1):
        signal.signal(late, lambda number, _frame: _too_long(number, theirs))
    return Myself(theirs)


def in_child(work: Callable[[], Any], deadline: float) -> Any:
    """What `work` gives, through JSON; raises what `Child.tells` does."""
    who = split(deadline)
    if isinstance(who, Myself):
        who.end(work)
    return who.tells(deadline)


def where() -> str:
    """Where each thread is, and what it has in hand there."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = []
    for ident, frame in sys._current_frames().items():
        lines.append(f"thread {names.get(ident)}:")
        lines += [_line(one) for one in _callers(frame)]
    return "\n".join(lines)


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _line(frame: FrameType) -> str:
    at = f"  {frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
    known = frame.f_locals if _TELLING in at else {}
    return " ".join([at, *(f"{name}={reprlib.repr(value)}" for name, value in known.items())])


def _too_long(number: int, pipe: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    _end(pipe, where(), TOO_LONG)


def _end(pipe: int, text: str, code: int) -> NoReturn:
    with os.fdopen(pipe, "w") as file:
        file.write(text)
    sys.stderr.flush()
    os._exit(code)


def _told(pipe: int, pid: int, deadline: float) -> tuple[bytes, bool]:
    """All that a child tells, and whether it came in time; one that is late is asked where it is."""
    with os.fdopen(pipe, "rb", buffering=0) as file:
        told, ended = _unless_asleep(file, pid, deadline)
        if ended:
            return told, True
        os.kill(pid, signal.SIGUSR1)
        told, _ = _until(file, monotonic() + _ANSWERS_WITHIN)
    os.kill(pid, signal.SIGKILL)
    return told, False


def _unless_asleep(file: RawIOBase, pid: int, deadline: float) -> tuple[bytes, bool]:
    """What comes until then, or until the child hangs; and whether it came to its end."""
    told, computed, looks = b"", "", 0
    while looks < _ASLEEP and (now := monotonic()) < deadline:
        part, ended = _until(file, min(now + _LOOK_EVERY, deadline))
        told += part
        if ended:
            return told, True
        known, computed = computed, _asleep(pid)
        looks = looks + 1 if computed and computed == known else 0
    return told, False


def _asleep(pid: int) -> str:
    """What a process that sleeps has computed; "" for one that does not, or where that is not told."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return " ".join(told[11:13]) if told[0] == "S" else ""


def _until(file: RawIOBase, deadline: float) -> tuple[bytes, bool]:
    """What comes until then, and whether it came to its end."""
    whole = b""
    while select.select([file], [], [], max(deadline - monotonic(), 0))[0]:
        part = file.read(65536)
        if not part:
            return whole, True
        whole += part
    return whole, False
