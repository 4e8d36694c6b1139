"""Every call of a run as botocore made it: when, how long, and the code it was refused with."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call that was sent, and the node it was sent for; `error` is "" where AWS did it.

    `at` is of the clock that only goes forward.
    """

    name: str
    at: float
    seconds: float
    node: str = ""
    error: str = ""


class Calls:
    """Hears the clients' events; a call ends in the thread in which it began."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.made: list[Call] = []
        self._here = threading.local()

    def watch(self, events: Any) -> None:
        """Hear a client from now on."""
        events.register("before-call.*", self._begin)
        events.register("after-call.*", self._end)
        events.register("after-call-error.*", self._break)

    def forget(self) -> None:
        """Let go of the calls so far: a command that goes on for hours keeps no record of them."""
        self.made.clear()

    def speak_of(self, node: str) -> None:
        """What this thread calls from now on, it calls for `node`."""
        self._here.node = node

    def _begin(self, model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}:{model.name}"
        self.counted[name] += 1
        self._here.call = (name, time.monotonic())

    def _end(self, parsed: Any, **_: Any) -> None:
        refused = parsed.get("Error") if isinstance(parsed, dict) else None
        self._keep(str(refused.get("Code", "")) if refused else "")

    def _break(self, exception: BaseException, **_: Any) -> None:
        self._keep(type(exception).__name__)

    def _keep(self, error: str) -> None:
        name, at = self._here.call
        self.made.append(Call(name, at, time.monotonic() - at, getattr(self._here, "node", ""), error))
