"""The log of every AWS call the box answered, for tests that ask what was called, and how often."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provisioner.embedded.wire import Call


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
        self._calls: list[Called] = []

    def add(self, call: Call, status: int, error: str) -> None:
        """Note a call; status 0 means that the connection was dropped instead of an answer."""
        with self._lock:
            n = len(self._calls) + 1
            known = (call.service, call.operation, call.region, call.mutating)
            self._calls.append(Called(n, *known, status, error))

    def since(self, n: int = 0) -> list[dict[str, Any]]:
        """Return the calls with a higher number than `n`."""
        return [asdict(called) for called in self._calls[n:]]

    def clear(self) -> None:
        """Start again at 1."""
        with self._lock:
            self._calls.clear()
