"""The recorder of a run: it writes down the stages of every resource, every call, and how the run ended."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.aws.call_log import Call
from provisioner.aws.connection import AwsConnection
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_codes import THROTTLES
from provisioner.engine.execution.events import ENDS, Event
from provisioner.engine.resource_graph.graph import Edge
from provisioner.names import WRITER
from state.serialization import as_json
from state.stack_state import StackLocation

SCHEMA = 1
# A wait of an hour causes many events: after so many moments of one resource, waits are only counted.
_MAX_EVENTS = 200
# The characters that are kept of why a resource waits, and of why it failed: a denial by IAM is some 300 long.
_MAX_WAIT_DETAIL, _MAX_REASON = 200, 1000

Doc = dict[str, Any]


@dataclass
class RecordedResource:
    """One resource in a run.

    Each of `events` is [seconds since the start, event], followed by its seconds and its reason if it is a
    wait or a failure. `depends_on` maps each dependency to the stage that it must have reached. `alongside` lists the
    dependents whose deletion need only have begun before this resource is deleted.
    """

    type_name: str = field(metadata={"json": "kind"})
    region: str
    step: str = field(metadata={"json": "piece"})
    action: str = field(default="", metadata={"json": "verb"})
    id: str = ""
    outcome: str = field(default="", metadata={"json": "end"})
    depends_on: dict[str, str] = field(default_factory=dict, metadata={"json": "needs"})
    alongside: list[str] = field(default_factory=list, metadata={"json": "beside"})
    events: list[list[Any]] = field(default_factory=list, metadata={"json": "moments"})
    waits: int = 0


@dataclass
class RunRecorder:
    """The recorder of one run; its record can be read at any time, also while the run goes on."""

    suffix: str
    command: str
    arguments: list[str]
    location: StackLocation
    aws: AwsConnection
    clock: Clock
    settings: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, int] = field(default_factory=dict)
    result: str = "running"
    exit_code: int | None = None
    message: str = ""
    end: float | None = None
    # The ECS task of a one-off command, if the run started one.
    task: str = ""
    resources: dict[str, RecordedResource] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.start = self.clock.wall()
        self._started_at = self.clock.now()

    def add_resource(self, name: str, type_name: str, region: str, step: str, edges: Iterable[Edge]) -> None:
        """Add a resource that the run may work on, with its dependencies."""
        stages = {edge.to: "exists" for edge in edges} | {e.to: "ready" for e in edges if e.ready}
        self.resources[name] = RecordedResource(type_name, region or self.location.region, step, depends_on=stages)

    def allow_overlap(self, name: str, other: str) -> None:
        """Note that `name` may be deleted once the deletion of its dependent `other` has begun."""
        self.resources[name].alongside.append(other)

    def record_event(self, event: Event) -> None:
        """Record one event; called in the thread that works on its resource."""
        if event.type == "starting":
            self.aws.calls.attribute_to(event.logical_id)
        elif event.type in ENDS:
            self.aws.calls.attribute_to("")
        if event.action == "keep":
            return
        seconds = round(self.clock.now() - self._started_at, 3)
        with self._lock:
            unknown = RecordedResource("", self.location.region, "")
            self._add_event(self.resources.setdefault(event.logical_id, unknown), event, seconds)

    def _add_event(self, resource: RecordedResource, event: Event, seconds: float) -> None:
        """Add an event to a resource; after `_MAX_EVENTS` of them, waits are only counted."""
        is_wait = event.type in ("retrying", "waiting")
        resource.waits += is_wait
        resource.id = event.id or resource.id
        if event.type == "starting":
            resource.action = event.action
        elif event.type in ENDS:
            resource.outcome = event.type
        if len(resource.events) < _MAX_EVENTS or not is_wait:
            max_detail = _MAX_WAIT_DETAIL if is_wait else _MAX_REASON if event.type in ("failed", "stopped") else 0
            detail = [round(event.seconds, 3), event.detail[:max_detail]] if max_detail else []
            resource.events.append([seconds, event.type, *detail])

    def finish(self, result: str, exit_code: int, message: str = "") -> None:
        """Record the end of the run."""
        self.result, self.exit_code, self.message = result, exit_code, message
        self.end = self.clock.wall()

    def to_json(self) -> Doc:
        """Return the whole record as a JSON object."""
        calls = list(self.aws.calls.calls)
        with self._lock:
            resources = {name: as_json(resource) for name, resource in self.resources.items() if resource.events}
        return {
            "schema": SCHEMA,
            "writer": WRITER,
            "suffix": self.suffix,
            "command": self.command,
            "arguments": self.arguments,
            "settings": dict(self.settings),
            "who": user_and_host(),
            "caller": self.aws.caller,
            "place": as_json(self.location),
            "pace": self.aws.speed,
            "start": self.start,
            "end": self.end,
            "seconds": round(self.clock.now() - self._started_at, 3),
            "result": self.result,
            "exit_code": self.exit_code,
            "message": self.message,
            **({"task": self.task} if self.task else {}),
            "plan": dict(self.plan),
            "nodes": resources,
            "calls": [self._call_json(call) for call in calls],
            "operations": summarize_calls(calls),
            "throttled": dict(self.aws.rates.throttles),
            "waited": {name: round(seconds, 3) for name, seconds in self.aws.rates.waited.items()},
        }

    def _call_json(self, call: Call) -> list[Any]:
        """Return a call as in the record: start and length in seconds, operation, logical id, error code."""
        return [round(call.at - self._started_at, 3), round(call.seconds, 3), call.name, call.node, call.error]


def user_and_host() -> str:
    """Return the user and the machine that run this process, as user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def summarize_calls(calls: Iterable[Call]) -> dict[str, dict[str, float]]:
    """Return for each operation the counts of calls, errors and throttles, and the seconds they took."""
    sums: dict[str, dict[str, float]] = {}
    for call in calls:
        summary = sums.setdefault(call.name, {"count": 0, "errors": 0, "throttles": 0, "seconds": 0.0})
        summary["count"] += 1
        summary["errors"] += bool(call.error)
        summary["throttles"] += call.error in THROTTLES
        summary["seconds"] = round(summary["seconds"] + call.seconds, 3)
    return dict(sorted(sums.items()))
