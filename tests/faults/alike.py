"""Faults that a run takes alike: from where its thread goes on, one of them stands for all.

A call that was throttled by one word or by another, or whose reply was lost in one way or in another, is sent
again, or looked for, by the same code. That it was so is seen, not believed. Two children of one run, which
was forked at the call, are alike where the product classed the error alike, where the struck thread then made
the same calls with the same outcomes, and where it comes to its next wait, call or write at the same moment,
waits as long, and finds the same files, the same rates and an AWS that has taken as many changes. Nobody else
has had a turn meanwhile. What else they know, they know from before they were two. `--each` plays them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from greenlet import getcurrent

from provisioner.emulator.wire import CLIENT_ERROR
from provisioner.engine.calls.error_categories import categorize


class EquivalentFaults:
    """Notes what is called from a fault on; tells `goes_on` of it when the struck thread goes on."""

    def __init__(self, goes_on: Callable[[str], None]) -> None:
        self._goes_on = goes_on
        self._thread: Any = None
        self._seen: list[str] = []

    def strike(self) -> None:
        """This thread meets a fault."""
        self._thread = getcurrent()

    def answered(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        """A call was answered: botocore's `after-call`."""
        status = http_response.status_code
        refused = status >= CLIENT_ERROR
        self._note(model.name, categorize(ClientError(parsed, model.name)) if refused else status)

    def broke(self, name: str, exception: BaseException) -> None:
        """A call was not answered: botocore's `after-call-error`."""
        self._note(name, categorize(exception))

    def acts(self, then: str = "") -> None:
        """This thread makes a call that changes something, or writes, or does what `then` says."""
        if self._thread is getcurrent():
            self._thread = None
            self._goes_on(" ".join([*self._seen, then]))

    def waits(self, until: float) -> None:
        """This thread waits."""
        self.acts(f"waits until {until}")

    def _note(self, name: str, outcome: object) -> None:
        if self._thread:
            self._seen.append(f"{name}={outcome}")
