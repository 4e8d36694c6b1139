"""A case in a process of its own: it begins with all its parent has, changes nothing of it, and may hang."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

WENT_WRONG = 70


# How much longer than by its own time a child may take on a machine that has other things to do.
CROWDED = 5


def in_child(work: Callable[[], Any], deadline: float) -> Any:
    """What `work` gives, through JSON; None where it computes for `deadline` seconds or hangs."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ours)
        resource.setrlimit(resource.RLIMIT_CPU, (int(deadline), resource.RLIM_INFINITY))
        _work(work, theirs)
    os.close(theirs)
    told = _told(ours, time.monotonic() + deadline * CROWDED)
    if told is None:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if told is None or os.waitstatus_to_exitcode(status) == -signal.SIGXCPU:
        return None
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"a case broke the tests themselves: {told.decode()}")
    return json.loads(told)


def _work(work: Callable[[], Any], pipe: int) -> None:
    code = 0
    try:
        text = json.dumps(work())
    except BaseException:  # noqa: BLE001 - told to the parent, and then this process ends
        text, code = traceback.format_exc(), WENT_WRONG
    with os.fdopen(pipe, "w") as file:
        file.write(text)
    sys.stderr.flush()
    os._exit(code)


def _told(pipe: int, deadline: float) -> bytes | None:
    """All that comes through a pipe; None where its end does not come in time."""
    whole = b""
    with os.fdopen(pipe, "rb", buffering=0) as file:
        while select.select([file], [], [], max(deadline - time.monotonic(), 0))[0]:
            part = file.read(65536)
            if not part:
                return whole
            whole += part
    return None
