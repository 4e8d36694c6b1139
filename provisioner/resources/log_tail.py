"""Log lines of a stack's tasks, read from CloudWatch Logs as they arrive, each line once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from provisioner.service_clients import CloudWatchLogs

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
LATE_MILLISECONDS = 30_000
# The container of each task that serves requests.
MAIN_CONTAINER = "api"


@dataclass(frozen=True)
class LogLine:
    """A log event; its stream is called `<service>/<container>/<task>` (ECS guide, awslogs-stream-prefix)."""

    timestamp: int
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
        parts = self.stream.split("/")
        return parts[1] if len(parts) == len(("service", "container", "task")) else ""

    @property
    def task(self) -> str:
        """The id of the task that wrote it."""
        return self.stream.rpartition("/")[2]


@dataclass
class LogTail:
    """The events of a log group from one moment on; each call of `lines` continues the last.

    `since` and `until` are in milliseconds since 1970; both moments are included, and `until` None is no end.
    """

    logs: CloudWatchLogs
    group: str
    since: int
    prefix: str = ""
    pattern: str = ""
    until: int | None = None
    _yielded_events: dict[str, int] = field(default_factory=dict)

    @property
    def poll_seconds(self) -> float:
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
                since = max(since, _answered_at(reply) - LATE_MILLISECONDS)
            for event in reply["events"]:
                if event["eventId"] not in self._yielded_events:
                    self._yielded_events[event["eventId"]] = event["timestamp"]
                    yield _to_log_line(event)
        self.since = since
        self._yielded_events = {
            event_id: timestamp for event_id, timestamp in self._yielded_events.items() if timestamp >= since
        }

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of FilterLogEvents; an empty page may be followed by another one."""
        request: dict[str, Any] = {"logGroupName": self.group, "startTime": self.since}
        if self.prefix:
            request["logStreamNamePrefix"] = self.prefix
        if self.pattern:
            request["filterPattern"] = self.pattern
        if self.until is not None:
            request["endTime"] = self.until
        while True:
            reply = self.logs.one_page.filter_log_events(**request)
            yield reply
            token = reply.get("nextToken")
            if not token or token == request.get("nextToken"):
                return
            request["nextToken"] = token


def _to_log_line(event: Mapping[str, Any]) -> LogLine:
    return LogLine(event["timestamp"], event["logStreamName"], event["message"].rstrip(), event["eventId"])


def _answered_at(reply: Mapping[str, Any]) -> int:
    """Return when AWS answered, by its own clock, in milliseconds since 1970; 0 if it does not say."""
    date = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    return round(parsedate_to_datetime(date).timestamp() * 1000) if date else 0
