"""Fault injection: kills the client, drops the connection, refuses, fails or delays chosen calls."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from provisioner.emulator.errors import access_denied, expired, internal_error, throttled, unavailable
from provisioner.emulator.http_server import ConnectionDropped

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call, Response

ERRORS = {
    "throttle": throttled,
    "access_denied": access_denied,
    "expired": expired,
    "500_before": internal_error,
    "500_after": internal_error,
    "503_before": unavailable,
    "503_after": unavailable,
}
DROPS = ("kill_before", "kill_after", "lost_reply", "reset")
AFTER = ("kill_after", "lost_reply", "500_after", "503_after")
# Half of the response: a proxy passes this on when its connection to AWS broke.
CUT = "cut_reply"


@dataclass
class Fault:
    """One fault to inject, and the calls it strikes.

    Attributes:
        fault: A name from `ERRORS`, `DROPS`, `CUT`, or "delay".
        at: Strike the `at`-th mutating call from now.
        operation: Strike calls of this "service:Operation" instead.
        nth: The first call of `operation` to strike.
        times: How many calls in a row to strike.
        pid: The process that a "kill" fault kills.
        seconds: How long "delay" waits.
        seen: The matching calls counted so far.

    """

    fault: str
    at: int = 0
    operation: str = ""
    nth: int = 1
    times: int = 1
    pid: int = 0
    seconds: float = 0.0
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.fault not in (*ERRORS, *DROPS, CUT, "delay"):
            raise ValueError(f"no such fault: {self.fault}")
        if bool(self.at) == bool(self.operation):
            raise ValueError('a fault wants either "at" or "operation"')

    def strikes(self, call: Call) -> bool:
        """Count a call, and return whether the fault strikes it."""
        if self.operation:
            meant, first = f"{call.service}:{call.operation}" == self.operation, self.nth
        else:
            meant, first = call.mutating, self.at
        self.seen += meant
        return meant and first <= self.seen < first + self.times

    def before(self, call: Call) -> None:
        """Strike before the call takes effect, unless the fault strikes afterwards."""
        if self.fault == "delay":
            time.sleep(self.seconds)
        elif self.fault not in (*AFTER, CUT):
            self._strike(call)

    def after(self, call: Call, answer: Response) -> Response:
        """Strike after the call has taken effect, if the fault does; return the response to send."""
        if self.fault in AFTER:
            self._strike(call)
        half = answer.body[: len(answer.body) // 2]
        return replace(answer, body=half) if self.fault == CUT else answer

    def _strike(self, call: Call) -> None:
        """Raise the fault's error, or kill the client and drop the connection."""
        if self.fault in ERRORS:
            raise ERRORS[self.fault](call)
        if self.fault.startswith("kill") and self.pid:
            os.kill(self.pid, signal.SIGKILL)
        raise ConnectionDropped(reset=self.fault == "reset")


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Fault] = []

    def replace(self, orders: Iterable[dict[str, Any]]) -> None:
        """Replace the faults in force by these, each a dict of the fields of `Fault`; counting starts now."""
        faults = [Fault(**order) for order in orders]
        with self._lock:
            self._orders = faults

    def matching(self, call: Call) -> list[Fault]:
        """Count a call for every fault, and return the faults that strike it."""
        with self._lock:
            return [order for order in self._orders if order.strikes(call)]
