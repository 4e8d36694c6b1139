"""A cache of replies that can not have changed, so that a wait computes next to nothing.

A reply of the emulator follows from what the account holds and, where new resources are hidden for a while,
from the time. So a reply is valid until a call changes something, until the emulator's next scheduled change,
and until a resource that it left out becomes visible. A reply is not cached if the emulator read its clock for
it or counted a read that misses. A refused deletion changes nothing, so its reply is cached too.
`test_cached_reads.py` makes each such call of a whole life all the same, and compares.
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
# Prefixes of calls that are refused repeatedly; `lag` never hides a new resource from them.
DELETIONS = ("Delete", "Detach")
# The modules that read the clock without their reply depending on it otherwise than tracked here.
_KNOWN_CALLERS = (vars(clocks), vars(lag), globals())


@dataclass(frozen=True)
class CachedReply:
    """A reply, and the time until which it is valid."""

    response: AWSResponse
    parsed: bytes
    valid_until: float


class CachedReads:
    """The replies since the last change."""

    def __init__(self) -> None:
        # How many replies came from the cache.
        self.hits = 0
        self._replies: dict[Key, CachedReply] = {}
        # Until when the reply that is being made, or was made last, is valid.
        self._valid_until = -math.inf

    def forget(self) -> None:
        """Drop all replies."""
        self._replies.clear()
        self._valid_until = -math.inf

    def get(self, key: Key) -> tuple[AWSResponse, Any] | None:
        """Return the cached reply as botocore takes it, or None."""
        self._drop_expired()
        reply = self._replies.get(key)
        if reply is None or reply.valid_until <= clock.now():
            return None
        self.hits += 1
        return reply.response, pickle.loads(reply.parsed)

    def put(self, key: Key, response: AWSResponse, parsed: Any) -> None:
        """Cache the reply to the last call if it is valid for a while."""
        if self._valid_until > clock.now():
            self._replies[key] = CachedReply(response, pickle.dumps(parsed), self._valid_until)
        self._valid_until = -math.inf

    def ask(self, call: Call, ask: Callable[[], Response]) -> Response:
        """Return the emulator's reply to a call; drop all cached replies if it may have changed something."""
        self._drop_expired()
        self._valid_until = math.inf
        answer = ask()
        if call.mutating and answer.status < CLIENT_ERROR:
            self.forget()
        return answer

    def _drop_expired(self) -> None:
        if clock._acts and clock._acts[0][0] <= clock.now():
            self.forget()

    @contextmanager
    def tracking_time(self) -> Iterator[None]:
        """Track until when each reply is valid."""
        now, hides = Clock.now, vars(lag.Hidden)["is_hiding"].fget
        assert hides

        def now_tracked(the: Clock) -> float:
            if sys._getframe(1).f_globals not in _KNOWN_CALLERS:
                self._valid_until = -math.inf
            return now(the)

        def is_hiding(fresh: lag.Hidden) -> bool:
            hidden = bool(hides(fresh))
            if hidden:
                self._valid_until = -math.inf if fresh.reads > 0 else min(self._valid_until, fresh.until)
            return hidden

        with patch.object(Clock, "now", now_tracked), patch.object(lag.Hidden, "is_hiding", property(is_hiding)):
            yield
