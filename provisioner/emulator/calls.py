"""The log of the AWS calls that the emulator answered, for tests that count or inspect calls."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call


# An emulator may run for days, so only the newest calls are kept; a test reads some thousands.
MAX_CALLS = 20_000


@dataclass(frozen=True)
class AnsweredCall:
    """One answered call; `n` is its number, `error` is the AWS error code, or "" if it succeeded."""

    n: int
    service: str
    operation: str
    region: str
    mutating: bool
    status: int
    error: str


class CallLog:
    """The newest calls in the order in which they were answered, numbered from 1."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[AnsweredCall] = deque(maxlen=MAX_CALLS)
        self._count = 0

    def add(self, call: Call, status: int, error: str) -> None:
        """Log a call; status 0 means that the connection was dropped without an answer."""
        with self._lock:
            self._count += 1
            fields = (call.service, call.operation, call.region, call.mutating)
            self._calls.append(AnsweredCall(self._count, *fields, status, error))

    def since(self, n: int = 0) -> list[dict[str, Any]]:
        """Return the logged calls with a number higher than `n`, oldest first."""
        with self._lock:
            newer = itertools.takewhile(lambda called: called.n > n, reversed(self._calls))
            return [asdict(called) for called in newer][::-1]

    def clear(self) -> None:
        """Forget all calls and start numbering at 1 again."""
        with self._lock:
            self._calls.clear()
            self._count = 0
