"""An emulator that holds an answer until a test lets it go: a process is met at a known moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.emulator.wire import Call

# Seconds; only a test that fails waits so long.
_GIVEN_UP = 120


@dataclass
class Held:
    """The answers of one service, held from the first call on."""

    service: str
    _met: threading.Event = field(default_factory=threading.Event)
    _free: threading.Event = field(default_factory=threading.Event)

    def hold(self, call: Call) -> list[Any]:
        """Stand for the faults that strike a call."""
        if call.service == self.service:
            self._met.set()
            assert self._free.wait(_GIVEN_UP)
        return []

    def wait(self) -> None:
        """Wait until somebody has called."""
        assert self._met.wait(_GIVEN_UP)

    def let_go(self) -> None:
        """Answer."""
        self._free.set()


@contextmanager
def held(box: LocalAws, service: str) -> Iterator[Held]:
    """Inside, that service answers nobody before it is let go."""
    answers = Held(service)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box.emulator.faults, "matching", answers.hold)
        try:
            yield answers
        finally:
            answers.let_go()
