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
from provisioner.engine.calls.error_codes import THROTTLES
from provisioner.engine.calls.polling import Clock
from provisioner.engine.execution.events import ENDS, Event
from provisioner.engine.resource_graph.graph import Edge
from provisioner.names import WRITER
from state.serialization import as_json
from state.stack_state import StackLocation

SCHEMA = 1
# A wait of an hour causes many events: after so many moments of one resource, waits are only counted.
_MOST = 200

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
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.start = self.clock.wall()
        self._zero = self.clock.now()

    def add_resource(self, name: str, type_name: str, region: str, step: str, needs: Iterable[Edge]) -> None:
        """Add a resource that the run may work on, with its dependencies."""
        stages = {edge.to: "exists" for edge in needs} | {e.to: "ready" for e in needs if e.ready}
        self.resources[name] = RecordedResource(type_name, region or self.location.region, step, depends_on=stages)

    def allow_overlap(self, name: str, other: str) -> None:
        """Note that `name` may be deleted once the deletion of its dependent `other` has begun."""
        self.resources[name].alongside.append(other)

    def hear(self, event: Event) -> None:
        """Record one event; called in the thread that works on its resource."""
        if event.what == "starting":
            self.aws.calls.speak_of(event.logical_id)
        elif event.what in ENDS:
            self.aws.calls.speak_of("")
        if event.action == "keep":
            return
        at = round(self.clock.now() - self._zero, 3)
        with self._guard:
            self._keep(
                self.resources.setdefault(event.logical_id, RecordedResource("", self.location.region, "")), event, at
            )

    def _keep(self, step: RecordedResource, event: Event, at: float) -> None:
        waits = event.what in ("retrying", "waiting")
        step.waits += waits
        step.id = event.id or step.id
        if event.what == "starting":
            step.action = event.action
        elif event.what in ENDS:
            step.outcome = event.what
        if len(step.events) < _MOST or not waits:
            tells = waits or event.what in ("failed", "stopped")
            about = [round(event.seconds, 3), event.detail[:200]] if tells else []
            step.events.append([at, event.what, *about])

    def finish(self, result: str, exit_code: int, message: str = "") -> None:
        """Record the end of the run."""
        self.result, self.exit_code, self.message = result, exit_code, message
        self.end = self.clock.wall()

    def to_json(self) -> Doc:
        """Return the whole record as a JSON object."""
        made = list(self.aws.calls.made)
        with self._guard:
            worked = {name: as_json(step) for name, step in self.resources.items() if step.events}
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
            "seconds": round(self.clock.now() - self._zero, 3),
            "result": self.result,
            "exit_code": self.exit_code,
            "message": self.message,
            **({"task": self.task} if self.task else {}),
            "plan": dict(self.plan),
            "nodes": worked,
            "calls": [self._told(call) for call in made],
            "operations": summarize_calls(made),
            "throttled": dict(self.aws.rates.throttles),
            "waited": {name: round(seconds, 3) for name, seconds in self.aws.rates.waited.items()},
        }

    def _told(self, call: Call) -> list[Any]:
        return [round(call.at - self._zero, 3), round(call.seconds, 3), call.name, call.node, call.error]


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
        one = sums.setdefault(call.name, {"count": 0, "errors": 0, "throttles": 0, "seconds": 0.0})
        one["count"] += 1
        one["errors"] += bool(call.error)
        one["throttles"] += call.error in THROTTLES
        one["seconds"] = round(one["seconds"] + call.seconds, 3)
    return dict(sorted(sums.items()))
