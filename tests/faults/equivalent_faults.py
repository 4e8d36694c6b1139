"""Faults that the product handles in the same way: the verdict of one case counts for all of them.

A call that was throttled by one error code or by another, or whose reply was lost in one way or in another, is
handled by the same code. This is observed, not assumed. Two children that were forked at the same call are
equivalent if the product put the errors into the same category, if the thread that met the fault then made the
same calls with the same outcomes, and if it arrives at its next wait, mutating call or write at the same time
with the same files, rate limits and number of changes in AWS. No other thread runs in between, and everything
else is from before the fork. `--each` plays all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from greenlet import getcurrent

from provisioner.emulator.wire import CLIENT_ERROR
from provisioner.engine.calls.error_categories import categorize


class EquivalentFaults:
    """Records the calls after a fault; calls `on_resumed` with them when the thread that met it goes on."""

    def __init__(self, on_resumed: Callable[[str], None]) -> None:
        self._on_resumed = on_resumed
        self._thread: Any = None
        self._outcomes: list[str] = []

    def fault_fired(self) -> None:
        """Note that this thread meets a fault."""
        self._thread = getcurrent()

    def answered(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        """Record the outcome of a call: botocore's `after-call`."""
        status = http_response.status_code
        refused = status >= CLIENT_ERROR
        self._record(model.name, categorize(ClientError(parsed, model.name)) if refused else status)

    def call_failed(self, name: str, exception: BaseException) -> None:
        """Record that a call had no reply: botocore's `after-call-error`."""
        self._record(name, categorize(exception))

    def before_change(self, then: str = "") -> None:
        """End the record if this is the thread: it is about to make a mutating call, to write, or what `then` says."""
        if self._thread is getcurrent():
            self._thread = None
            self._on_resumed(" ".join([*self._outcomes, then]))

    def before_wait(self, until: float) -> None:
        """End the record if this is the thread: it is about to wait."""
        self.before_change(f"waits until {until}")

    def _record(self, name: str, outcome: object) -> None:
        if self._thread:
            self._outcomes.append(f"{name}={outcome}")
