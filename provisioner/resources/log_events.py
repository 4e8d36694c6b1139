"""Log lines of a stack's tasks, read from CloudWatch Logs as they arrive, each line once."""

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
# The web ACL's log group is in CloudFront's region.
EDGE_CALLS = {"logs": ("FilterLogEvents aws-waf-logs-ml-api-{suffix}",)}
# A line arrives some seconds after it was written: the awslogs driver sends every 5 s (moby,
# daemon/logger/awslogs, defaultForceFlushInterval), and keeps lines that it could not send.
LATE = 30_000  # milliseconds
# The container of each task that serves requests.
MAIN_CONTAINER = "api"


@dataclass(frozen=True)
class LogLine:
    """A log event; its stream is called `<service>/<container>/<task>` (ECS guide, awslogs-stream-prefix)."""

    at: int
    stream: str
    text: str
    id: str

    @property
    def service(self) -> str:
        """The name of the service whose task wrote it."""
        return self.stream.partition("/")[0]

    @property
    def container(self) -> str:
        """The name of the container that wrote it; "" if no task wrote it."""
        pieces = self.stream.split("/")
        return pieces[1] if len(pieces) == len(("service", "container", "task")) else ""

    @property
    def task(self) -> str:
        """The id of the task that wrote it."""
        return self.stream.rpartition("/")[2]


@dataclass
class LogTail:
    """The events of a log group from one moment on; each call of `lines` continues the last.

    `since` is in milliseconds since 1970.
    """

    logs: Any
    group: str
    since: int
    prefix: str = ""
    pattern: str = ""
    _told: dict[str, int] = field(default_factory=dict)

    @property
    def pause(self) -> float:
        """The seconds between two reads: AWS allows five such calls a second for the whole account."""
        return 2.0

    @property
    def name(self) -> str:
        """The name of the log group."""
        return self.group

    def lines(self) -> Iterator[LogLine]:
        """Yield the events that were not yielded before.

        After an error, the next call continues behind the last event that was yielded. Events may arrive
        late, so each call also reads the last 30 seconds again.
        """
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
        """Yield the pages of FilterLogEvents; an empty page may be followed by another one."""
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


def _line(event: Mapping[str, Any]) -> LogLine:
    return LogLine(event["timestamp"], event["logStreamName"], event["message"].rstrip(), event["eventId"])


def _asked_at(reply: Mapping[str, Any]) -> int:
    """Return when AWS answered, by its own clock, in milliseconds since 1970; 0 if it does not say."""
    told = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return round(parsedate_to_datetime(told).timestamp() * 1000) if told else 0
