"""The access logs of a load balancer: files in S3, one for each of its nodes every five minutes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from provisioner.resources.log_tail import LogLine
from provisioner.service_clients import S3

CALLS = {"s3": ("ListObjectsV2 ml-api-logs-{suffix}-*", "GetObject object=ml-api-logs-{suffix}-*")}
# A folder is of the day of delivery, which may be late: a request's record may be in the next day's.
_LATE_DELIVERY = timedelta(days=1)
# The local clock may be behind AWS's, so the next day's folder is listed an hour early.
_CLOCK_SKEW = timedelta(hours=1)


@dataclass
class AccessLogTail:
    """The access log lines of a load balancer from one moment on; each call of `lines` continues the last.

    `since` and `until` are in milliseconds since 1970; both moments are included, and `until` None is no end.
    `folder` is `<prefix>/AWSLogs/<account>/elasticloadbalancing/<region>` (ELB user guide, access logs).
    """

    s3: S3
    bucket: str
    folder: str
    since: int
    pattern: str = ""
    until: int | None = None
    _finished_keys: set[str] = field(default_factory=set)
    # By file: how many of its lines were yielded before an error.
    _yielded_counts: dict[str, int] = field(default_factory=dict)

    @property
    def poll_seconds(self) -> float:
        """The seconds between two reads: 30, as a file comes only every five minutes."""
        return 30.0

    @property
    def name(self) -> str:
        """The place of the logs, as an S3 URI."""
        return f"s3://{self.bucket}/{self.folder}"

    def lines(self) -> Iterator[LogLine]:
        """Yield the lines that were not yielded before.

        After an error, the next call continues behind the last line that was yielded.
        """
        for key in self._unfinished_keys():
            yielded_count = self._yielded_counts.get(key, 0)
            for number, line in enumerate(self._read_file(key)[yielded_count:], start=yielded_count):
                self._yielded_counts[key] = number + 1
                if self._is_wanted(line):
                    yield line
            self._finished_keys.add(key)
            self._yielded_counts.pop(key, None)

    def _is_wanted(self, line: LogLine) -> bool:
        """Return whether a line is of the time that is asked for, and has the text."""
        is_in_time = self.since <= line.timestamp and (self.until is None or line.timestamp <= self.until)
        return is_in_time and self.pattern in line.text

    def _unfinished_keys(self) -> Iterator[str]:
        """Yield the keys of new files, day by day; skip those written before `since`."""
        start = datetime.fromtimestamp(self.since / 1000, UTC)
        end = datetime.now(UTC) + _CLOCK_SKEW
        if self.until is not None:
            end = min(end, datetime.fromtimestamp(self.until / 1000, UTC) + _LATE_DELIVERY)
        day = start.date()
        while day <= end.date():
            folder = f"{self.folder}/{day:%Y/%m/%d}/"
            objects = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder).get("Contents", [])
            keys = sorted(entry["Key"] for entry in objects if entry["LastModified"] >= start)
            yield from (key for key in keys if key not in self._finished_keys)
            day += timedelta(days=1)

    def _read_file(self, key: str) -> list[LogLine]:
        """Read a file; a line is a request, its second word the time (ELB user guide, access log entries)."""
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        texts = gzip.decompress(body).decode(errors="replace").splitlines()
        return [_parse_line(key, number, text) for number, text in enumerate(texts)]


def _parse_line(key: str, number: int, text: str) -> LogLine:
    """Parse an entry of an access log; its stream is the load balancer's name, its id the file and line."""
    _, timestamp, load_balancer, _ = text.split(" ", 3)
    milliseconds = round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    return LogLine(milliseconds, load_balancer.split("/")[1], text, f"{key}:{number}")
