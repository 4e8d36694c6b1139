"""The log of every AWS call the box answered, for tests that ask what was called, and how often."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provisioner.embedded.wire import Call


# An emulator that is used for days keeps the newest: a test asks for some thousands.
_KEPT = 20_000


@dataclass(frozen=True)
class Called:
    """One answered call; `error` is the wire code, "" if it went well."""

    n: int
    service: str
    operation: str
    region: str
    mutating: bool
    status: int
    error: str


class CallLog:
    """Calls in the order in which they were answered, numbered from 1."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Called] = deque(maxlen=_KEPT)
        self._count = 0

    def add(self, call: Call, status: int, error: str) -> None:
        """Note a call; status 0 means that the connection was dropped instead of an answer."""
        with self._lock:
            self._count += 1
            known = (call.service, call.operation, call.region, call.mutating)
            self._calls.append(Called(self._count, *known, status, error))

    def since(self, n: int = 0) -> list[dict[str, Any]]:
        """Return the calls with a higher number than `n`, of the newest that are kept."""
        with self._lock:
            newer = itertools.takewhile(lambda called: called.n > n, reversed(self._calls))
            return [asdict(called) for called in newer][::-1]

    def clear(self) -> None:
        """Start again at 1."""
        with self._lock:
            self._calls.clear()
            self._count = 0
