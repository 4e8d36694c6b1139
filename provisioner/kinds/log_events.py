"""What the tasks of a stack have written, in the order in which it comes, each line once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

CALLS = {
    "logs": (
        "FilterLogEvents /aws/ecs/ml-api-{suffix}",
        "FilterLogEvents /aws/rds/cluster/ml-api-aurora-{suffix}/postgresql",
    )
}
# The firewall's lies where CloudFront does.
EDGE_CALLS = {"logs": ("FilterLogEvents aws-waf-logs-ml-api-{suffix}",)}
# A line comes some seconds after it was written: the awslogs driver sends every 5 s (moby,
# daemon/logger/awslogs, defaultForceFlushInterval), and what it could not send it keeps.
LATE = 30_000  # milliseconds
# The container that answers requests, in each of our tasks.
MAIN = "api"


@dataclass(frozen=True)
class Line:
    """One event; its stream is called `<service>/<container>/<task>` (ECS guide, awslogs-stream-prefix)."""

    at: int
    stream: str
    text: str
    id: str

    @property
    def service(self) -> str:
        """Whose task wrote it."""
        return self.stream.partition("/")[0]

    @property
    def container(self) -> str:
        """Which of the task's containers wrote it; "" for what no task has written."""
        pieces = self.stream.split("/")
        return pieces[1] if len(pieces) == len(("service", "container", "task")) else ""

    @property
    def task(self) -> str:
        """The id of the task."""
        return self.stream.rpartition("/")[2]


@dataclass
class Tail:
    """One group from a moment on, in milliseconds since 1970; asked again, it goes on where it was."""

    logs: Any
    group: str
    since: int
    prefix: str = ""
    pattern: str = ""
    _told: dict[str, int] = field(default_factory=dict)

    @property
    def pause(self) -> float:
        """AWS takes five of these calls a second, for the whole account."""
        return 2.0

    @property
    def name(self) -> str:
        """The group."""
        return self.group

    def lines(self) -> Iterator[Line]:
        """What was not told yet. An error leaves all as it was, but for what has been told already."""
        since = self.since
        for number, reply in enumerate(self._pages()):
            if number == 0:
                since = max(since, _asked_at(reply) - LATE)
            for event in reply["events"]:
                if event["eventId"] not in self._told:
                    self._told[event["eventId"]] = event["timestamp"]
                    yield _line(event)
        self.since = since
        self._told = {name: at for name, at in self._told.items() if at >= since}

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        """FilterLogEvents: a page may be empty and have another one after it."""
        asked: dict[str, Any] = {"logGroupName": self.group, "startTime": self.since}
        if self.prefix:
            asked["logStreamNamePrefix"] = self.prefix
        if self.pattern:
            asked["filterPattern"] = self.pattern
        while True:
            reply = self.logs.page("filter_log_events", **asked)
            yield reply
            token = reply.get("nextToken")
            if not token or token == asked.get("nextToken"):
                return
            asked["nextToken"] = token


def _line(event: Mapping[str, Any]) -> Line:
    return Line(event["timestamp"], event["logStreamName"], event["message"].rstrip(), event["eventId"])


def _asked_at(reply: Mapping[str, Any]) -> int:
    """When AWS answered, by its own clock: ours may be another one."""
    told = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return round(parsedate_to_datetime(told).timestamp() * 1000) if told else 0
