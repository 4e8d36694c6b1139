"""Runs a case in a forked process, which starts with the state of its parent and may hang."""

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

FAILED, TOO_LONG = 70, 71
# Seconds within which a child that hangs must have written its stacks.
_STACKS_TIMEOUT = 10.0
# Locals are shown for frames in this folder: they name the resource that is waited for.
_SHOWS_LOCALS = "provisioner/engine/"


# Wall seconds that a child may take for each second of its CPU limit, on a busy machine.
WALL_PER_CPU_SECOND = 5
# A child that sleeps and uses no CPU for so many polls hangs; one that waits for a CPU does not sleep.
_POLL_SECONDS, _IDLE_POLLS = 5.0, 6


class TooLong(Exception):
    """A child used up its CPU limit, or hung; the text holds the stack of each thread."""


@dataclass(frozen=True)
class Child:
    """A forked process, as its parent sees it."""

    pid: int
    pipe: int

    def result(self, deadline: float) -> Any:
        """Return the result of the child, which is passed as JSON.

        Raises:
            TooLong: It uses `deadline` seconds of CPU, or hangs.
        """
        output, in_time = _read_result(self.pipe, self.pid, monotonic() + deadline * WALL_PER_CPU_SECOND)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if not in_time or code == TOO_LONG:
            raise TooLong(output.decode())
        if code:
            raise RuntimeError(f"the harness itself failed: {output.decode()}")
        return json.loads(output)


@dataclass(frozen=True)
class ChildEnd:
    """The end of a forked process that the child itself holds."""

    pipe: int

    def finish(self, work: Callable[[], Any]) -> NoReturn:
        """Pass the result of `work` to the parent, and end this process."""
        code = 0
        try:
            text = json.dumps(work())
        except BaseException:  # noqa: BLE001 - passed to the parent, and then this process ends
            text, code = traceback.format_exc(), FAILED
        _write_and_exit(self.pipe, text, code)


def fork(deadline: float) -> Child | ChildEnd:
    """Fork this process; return the `Child` to the parent, and a `ChildEnd` to the child."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return Child(pid, ours)
    os.close(ours)
    resource.setrlimit(resource.RLIMIT_CPU, (int(deadline), resource.RLIM_INFINITY))
    for number in (signal.SIGXCPU, signal.SIGUSR1):
        signal.signal(number, lambda number, _frame: _report_timeout(number, theirs))
    return ChildEnd(theirs)


def in_child(work: Callable[[], Any], deadline: float) -> Any:
    """Run `work` in a child and return its result; raise what `Child.result` raises."""
    end = fork(deadline)
    if isinstance(end, ChildEnd):
        end.finish(work)
    return end.result(deadline)


def thread_stacks() -> str:
    """Return the stack of each thread, with the locals of engine frames."""
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
    known = frame.f_locals if _SHOWS_LOCALS in at else {}
    return " ".join([at, *(f"{name}={reprlib.repr(value)}" for name, value in known.items())])


def _report_timeout(number: int, pipe: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    _write_and_exit(pipe, thread_stacks(), TOO_LONG)


def _write_and_exit(pipe: int, text: str, code: int) -> NoReturn:
    with os.fdopen(pipe, "w") as file:
        file.write(text)
    sys.stderr.flush()
    os._exit(code)


def _read_result(pipe: int, pid: int, deadline: float) -> tuple[bytes, bool]:
    """Return the output of a child and whether it came in time; ask a late one for its stacks."""
    with os.fdopen(pipe, "rb", buffering=0) as file:
        output, ended = _read_unless_idle(file, pid, deadline)
        if ended:
            return output, True
        os.kill(pid, signal.SIGUSR1)
        output, _ = _read_until(file, monotonic() + _STACKS_TIMEOUT)
    os.kill(pid, signal.SIGKILL)
    return output, False


def _read_unless_idle(file: RawIOBase, pid: int, deadline: float) -> tuple[bytes, bool]:
    """Read until the deadline or until the child hangs; return the output and whether the child ended it."""
    output, cpu_time, idle_polls = b"", "", 0
    while idle_polls < _IDLE_POLLS and (now := monotonic()) < deadline:
        part, ended = _read_until(file, min(now + _POLL_SECONDS, deadline))
        output += part
        if ended:
            return output, True
        previous, cpu_time = cpu_time, _cpu_time_if_sleeping(pid)
        idle_polls = idle_polls + 1 if cpu_time and cpu_time == previous else 0
    return output, False


def _cpu_time_if_sleeping(pid: int) -> str:
    """Return the CPU time of a process that sleeps; "" for one that runs, or where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return " ".join(fields[11:13]) if fields[0] == "S" else ""


def _read_until(file: RawIOBase, deadline: float) -> tuple[bytes, bool]:
    """Read until the deadline; return the output and whether its end was reached."""
    whole = b""
    while select.select([file], [], [], max(deadline - monotonic(), 0))[0]:
        part = file.read(65536)
        if not part:
            return whole, True
        whole += part
    return whole, False
