"""The record of a run's calls as botocore made them: when, how long, and the error code if refused."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


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


class CallLog:
    """The recorder of a run's calls, by botocore's events; a call ends in the thread in which it began."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.calls: list[Call] = []
        self._thread = threading.local()

    def record_client(self, events: Any) -> None:
        """Record the calls of a client from now on; `events` is its event emitter."""
        events.register("before-call.*", self._begin)
        events.register("after-call.*", self._end)
        events.register("after-call-error.*", self._fail)

    def forget(self) -> None:
        """Discard the calls recorded so far: a command that runs for hours keeps no record of them."""
        self.calls.clear()

    def attribute_to(self, logical_id: str) -> None:
        """Attribute this thread's calls to the resource `logical_id` from now on."""
        self._thread.node = logical_id

    def _begin(self, model: Any, **_: Any) -> None:
        """Count a call and note when it began (botocore's before-call)."""
        name = f"{model.service_model.service_name}:{model.name}"
        self.counts[name] += 1
        self._thread.call = (name, time.monotonic())

    def _end(self, parsed: Any, **_: Any) -> None:
        """Record a call that was answered (botocore's after-call)."""
        error_body = parsed.get("Error") if isinstance(parsed, dict) else None
        metadata = parsed.get("ResponseMetadata", {}) if isinstance(parsed, dict) else {}
        self._record(str(error_body.get("Code", "")) if error_body else "", metadata)

    def _fail(self, exception: BaseException, **_: Any) -> None:
        """Record a call that got no answer (botocore's after-call-error)."""
        self._record(type(exception).__name__, {})

    def _record(self, error: str, metadata: Mapping[str, Any]) -> None:
        """Record and log the call that this thread began, with the error code or the name of the exception.

        `metadata` is botocore's ResponseMetadata: request id, HTTP status and attempts.
        """
        name, started_at = self._thread.call
        call = Call(name, started_at, time.monotonic() - started_at, getattr(self._thread, "node", ""), error)
        self.calls.append(call)
        log.debug(
            "%s for %s: %s in %.3f s, HTTP %s, request %s, attempt %d",
            name,
            call.node or "no resource",
            error or "ok",
            call.seconds,
            metadata.get("HTTPStatusCode", "-"),
            metadata.get("RequestId", "-"),
            metadata.get("RetryAttempts", 0) + 1,
        )
