"""What a load balancer has recorded of its requests: files in a bucket, one every five minutes and node."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioner.kinds.log_events import Line

CALLS = {"s3": ("ListObjectsV2 ml-api-logs-{suffix}-*", "GetObject object=ml-api-logs-{suffix}-*")}
# A clock here may be behind AWS's: the next day's folder is looked into a little early.
_SKEW = timedelta(hours=1)


@dataclass
class Records:
    """A balancer's records from a moment on, in milliseconds since 1970; asked again, it goes on.

    `folder` is `<prefix>/AWSLogs/<account>/elasticloadbalancing/<region>` (ELB user guide, access logs).
    """

    s3: Any
    bucket: str
    folder: str
    since: int
    pattern: str = ""
    _told: set[str] = field(default_factory=set)
    # How many lines of a file were told before an error came.
    _begun: dict[str, int] = field(default_factory=dict)

    @property
    def pause(self) -> float:
        """A file comes every five minutes: half a minute is soon enough."""
        return 30.0

    @property
    def name(self) -> str:
        """Where they lie."""
        return f"s3://{self.bucket}/{self.folder}"

    def lines(self) -> Iterator[Line]:
        """What was not told yet. An error leaves all as it was, but for what has been told already."""
        for key in self._files():
            told = self._begun.get(key, 0)
            for number, line in enumerate(self._read(key)[told:], start=told):
                self._begun[key] = number + 1
                if line.at >= self.since and self.pattern in line.text:
                    yield line
            self._told.add(key)
            self._begun.pop(key, None)

    def _files(self) -> Iterator[str]:
        """ListObjectsV2: the new files of each day, but for those written before the moment."""
        begin = datetime.fromtimestamp(self.since / 1000, UTC)
        day, last = begin.date(), (datetime.now(UTC) + _SKEW).date()
        while day <= last:
            folder = f"{self.folder}/{day:%Y/%m/%d}/"
            listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder).get("Contents", [])
            late = sorted(one["Key"] for one in listed if one["LastModified"] >= begin)
            yield from (key for key in late if key not in self._told)
            day += timedelta(days=1)

    def _read(self, key: str) -> list[Line]:
        """GetObject: a line a request, its time the second word (ELB user guide, access log entries)."""
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        texts = gzip.decompress(body).decode(errors="replace").splitlines()
        return [_line(key, number, text) for number, text in enumerate(texts)]


def _line(key: str, number: int, text: str) -> Line:
    _, at, balancer, _ = text.split(" ", 3)
    when = round(datetime.fromisoformat(at).timestamp() * 1000)
    return Line(when, balancer.split("/")[1], text, f"{key}:{number}")
