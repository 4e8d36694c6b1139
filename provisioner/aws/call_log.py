"""The record of a run's calls as botocore made them: when, how long, and the error code if refused."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call that was sent, and the resource that it was sent for.

    `at` is the time of the monotonic clock, in seconds. `error` is "" if AWS accepted the call.
    """

    name: str
    at: float
    seconds: float
    node: str = ""
    error: str = ""


class Calls:
    """The recorder of a run's calls, by botocore's events; a call ends in the thread in which it began."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.made: list[Call] = []
        self._here = threading.local()

    def watch(self, events: Any) -> None:
        """Record the calls of a client from now on; `events` is its event emitter."""
        events.register("before-call.*", self._begin)
        events.register("after-call.*", self._end)
        events.register("after-call-error.*", self._break)

    def forget(self) -> None:
        """Discard the calls recorded so far: a command that runs for hours keeps no record of them."""
        self.made.clear()

    def speak_of(self, logical_id: str) -> None:
        """Attribute this thread's calls to the resource `logical_id` from now on."""
        self._here.node = logical_id

    def _begin(self, model: Any, **_: Any) -> None:
        """Count a call and note when it began (botocore's before-call)."""
        name = f"{model.service_model.service_name}:{model.name}"
        self.counted[name] += 1
        self._here.call = (name, time.monotonic())

    def _end(self, parsed: Any, **_: Any) -> None:
        """Record a call that was answered (botocore's after-call)."""
        refused = parsed.get("Error") if isinstance(parsed, dict) else None
        self._keep(str(refused.get("Code", "")) if refused else "")

    def _break(self, exception: BaseException, **_: Any) -> None:
        """Record a call that got no answer (botocore's after-call-error)."""
        self._keep(type(exception).__name__)

    def _keep(self, error: str) -> None:
        """Record the call that this thread began, with the error code or the name of the exception."""
        name, at = self._here.call
        self.made.append(Call(name, at, time.monotonic() - at, getattr(self._here, "node", ""), error))
