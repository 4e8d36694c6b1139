"""Calls whose answer can not have changed, told again without asking: so a wait computes next to nothing.

What AWS answers follows from what it holds and, where it hides what is new, from the time. So an answer holds
until a call changes something, until something is due, and until what it left out is hidden no longer. One
for which the local AWS asked what time it is, or counted a miss, holds for no other call. A refused end of
a thing changes nothing, and is such an answer too.
`test_remembered.py` asks again at each such call of a whole life, and compares.
"""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse

from provisioner.emulator import clock as clocks
from provisioner.emulator.behaviours import lag
from provisioner.emulator.clock import Clock, clock
from provisioner.emulator.wire import CLIENT_ERROR, Call, Response

Key = tuple[Any, ...]
# Calls that may be refused again and again, and not for being early: `lag` lets them find what is new.
ENDS = ("Delete", "Detach")
# Who asks what time it is, and yet tells elsewhere what hangs on it.
_WATCHED = (vars(clocks), vars(lag), globals())


@dataclass(frozen=True)
class CachedReply:
    """An answer, and the moment until which it holds."""

    response: AWSResponse
    parsed: bytes
    until: float


class CachedReads:
    """What was answered since anything changed last."""

    def __init__(self) -> None:
        # How often there was no need to ask.
        self.hits = 0
        self._told: dict[Key, CachedReply] = {}
        # Until when the answer holds that is being made, or was made last.
        self._until = -math.inf

    def forget(self) -> None:
        """Something changes."""
        self._told.clear()
        self._until = -math.inf

    def answer(self, key: Key) -> tuple[AWSResponse, Any] | None:
        """The answer to such a call, as botocore takes it; None where it has to be asked."""
        self._catch_up()
        told = self._told.get(key)
        if told is None or told.until <= clock.now():
            return None
        self.hits += 1
        return told.response, pickle.loads(told.parsed)

    def keep(self, key: Key, response: AWSResponse, parsed: Any) -> None:
        """Keep what the last call was answered with, where that holds for a while."""
        if self._until > clock.now():
            self._told[key] = CachedReply(response, pickle.dumps(parsed), self._until)
        self._until = -math.inf

    def asking(self, call: Call, ask: Callable[[], Response]) -> Response:
        """What the box answers; nothing is kept beyond a call that may have changed something."""
        self._catch_up()
        self._until = math.inf
        answer = ask()
        if call.mutating and answer.status < CLIENT_ERROR:
            self.forget()
        return answer

    def _catch_up(self) -> None:
        if clock._acts and clock._acts[0][0] <= clock.now():
            self.forget()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, it is noticed what an answer hangs on."""
        now, hides = Clock.now, vars(lag.Hidden)["is_hiding"].fget
        assert hides

        def noticed(the: Clock) -> float:
            if sys._getframe(1).f_globals not in _WATCHED:
                self._until = -math.inf
            return now(the)

        def is_hiding(fresh: lag.Hidden) -> bool:
            hidden = bool(hides(fresh))
            if hidden:
                self._until = -math.inf if fresh.reads > 0 else min(self._until, fresh.until)
            return hidden

        with patch.object(Clock, "now", noticed), patch.object(lag.Hidden, "is_hiding", property(is_hiding)):
            yield
