"""`logs`: each line once, late ones too, and on from where it was."""

from __future__ import annotations

import gzip
import io
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from provisioner.commands.log_query import LogQuery, selected_lines
from provisioner.commands.stack_services import check_service_name
from provisioner.errors import UsageError
from provisioner.resources.access_log_tail import AccessLogTail
from provisioner.resources.log_tail import LATE_MILLISECONDS, LogLine, LogTail
from provisioner.service_clients import S3, CloudWatchLogs
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import LogPrinter
from state.errors import ProvisionerError
from state.stack_state import ResourceState, StackLocation, StackState
from tests.aws.test_slow_responses import led_through
from tests.support.account_inventory import client
from tests.support.fake_resources import WholeLists, as_client
from tests.support.fault_proxy import FaultProxy, plays
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

if TYPE_CHECKING:
    from provisioner.session import Session

GROUP = f"/aws/ecs/ml-api-{SUFFIX}"
ONE, OTHER = "api/api/1111aaaa2222", "api/api/3333bbbb4444"
NOW = 1_000_000  # seconds


class Wire(WholeLists):
    """CloudWatch Logs, two events a page; `cut` pages are answered before the connection drops."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.clock = NOW
        self.cut = -1

    def put(self, at: float, text: str) -> None:
        """An event of so many seconds."""
        told = {"timestamp": round(at * 1000), "message": text, "logStreamName": ONE, "eventId": text}
        self.events = sorted([*self.events, told], key=lambda one: int(one["timestamp"]))

    def filter_log_events(self, **params: Any) -> dict[str, Any]:
        """Answer FilterLogEvents."""
        self.asked.append(params)
        if self.cut == 0:
            raise ConnectionError
        self.cut -= 1
        found = [one for one in self.events if one["timestamp"] >= params["startTime"]]
        at = int(params.get("nextToken", 0))
        more = {"nextToken": str(at + 2)} if found[at + 2 :] else {}
        head = {"HTTPHeaders": {"date": formatdate(self.clock, usegmt=True)}}
        return {"events": found[at : at + 2], "ResponseMetadata": head, **more}


@pytest.fixture
def wire() -> Wire:
    """Three events of the last hour."""
    wire = Wire()
    for at, text in ((NOW - 90, "a"), (NOW - 60, "b"), (NOW - 30, "c")):
        wire.put(at, text)
    return wire


def told(tail: LogTail) -> str:
    """What comes now."""
    return "".join(line.text for line in tail.lines())


def test_every_page_is_told_and_nothing_twice(wire: Wire) -> None:
    tail = LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000)

    assert (told(tail), told(tail)) == ("abc", "")
    assert wire.asked[-1]["startTime"] == NOW * 1000 - LATE_MILLISECONDS


def test_what_comes_late_is_told_too(wire: Wire) -> None:
    tail = LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000)
    told(tail)

    wire.clock += 10
    wire.put(NOW - LATE_MILLISECONDS / 1000 + 1, "late")
    wire.put(NOW + 5, "new")

    assert (told(tail), told(tail)) == ("latenew", "")


def test_after_a_dropped_connection_it_goes_on_where_it_was(wire: Wire) -> None:
    tail = LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000)
    wire.cut = 1
    got: list[Any] = []

    with pytest.raises(ConnectionError):
        got.extend(line.text for line in tail.lines())
    wire.cut = -1

    assert got == ["a", "b"]
    assert told(tail) == "c"


def test_what_is_remembered_does_not_grow(wire: Wire) -> None:
    tail = LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000)
    for _ in range(5):
        wire.clock += 3600
        wire.put(wire.clock, f"at {wire.clock}")
        told(tail)

    assert len(tail._yielded_events) == 1


def test_aws_is_asked_for_nothing_behind_the_end(wire: Wire) -> None:
    until = (NOW - 60) * 1000
    list(LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000, until=until).lines())
    list(LogTail(as_client(CloudWatchLogs, wire), GROUP, (NOW - 3600) * 1000).lines())

    assert [asked.get("endTime") for asked in wire.asked] == [until, until, None, None]


FOLDER = "alb/AWSLogs/1/elasticloadbalancing/eu-west-1"


def record(at: datetime, path: str) -> str:
    """One request, as the balancer writes it down."""
    when = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f'http {when} app/ml-api-alb-prod/50dc6c 192.0.2.1:28 10.0.0.1:80 0 0 0 200 200 "GET {path}"'


class Shelves:
    """S3, with files of records; `cut` files are read before the connection drops."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[datetime, bytes]] = {}
        self.read: list[str] = []
        self.is_down = False

    def put(self, name: str, *lines: str, written: datetime) -> None:
        """A file of the day on which it was written."""
        body = gzip.compress("\n".join(lines).encode())
        self.files[f"{FOLDER}/{written:%Y/%m/%d}/{name}.log.gz"] = (written, body)

    def list_objects_v2(self, *, Prefix: str, **_: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """What lies there."""
        found = {key: at for key, (at, _) in self.files.items() if key.startswith(Prefix)}
        return {"Contents": [{"Key": key, "LastModified": at} for key, at in found.items()]} if found else {}

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """One file."""
        self.read.append(Key)
        if self.is_down:
            raise ConnectionError
        return {"Body": io.BytesIO(self.files[Key][1])}


def test_records_of_requests_are_told_once_and_late_ones_too() -> None:
    now = datetime.now(UTC)
    shelves = Shelves()
    shelves.put("b", record(now, "/b1"), record(now, "/b2"), written=now)
    shelves.put("a", record(now, "/a"), record(now - timedelta(hours=9), "/old"), written=now)
    shelves.put("older", record(now, "/no"), written=now - timedelta(hours=5))
    records = AccessLogTail(
        as_client(S3, shelves), "bucket", FOLDER, round((now - timedelta(hours=2)).timestamp() * 1000)
    )

    def paths() -> list[str]:
        return [line.text.rpartition(" ")[2].rstrip('"') for line in records.lines()]

    assert paths() == ["/a", "/b1", "/b2"]
    assert paths() == []
    shelves.put("c", record(now, "/c"), written=now)
    shelves.is_down = True
    with pytest.raises(ConnectionError):
        paths()
    shelves.is_down = False
    assert paths() == ["/c"]
    assert not any("older" in key for key in shelves.read)


def test_records_behind_the_end_are_not_told_nor_looked_for() -> None:
    now = datetime.now(UTC)
    until = now - timedelta(days=3)
    shelves = Shelves()
    early, late = record(until, "/at"), record(until + timedelta(milliseconds=1), "/behind")
    shelves.put("a", early, late, written=until)
    shelves.put("delayed", record(until - timedelta(hours=2), "/delayed"), written=until + timedelta(days=1))
    shelves.put("later", late, written=now)
    since, end = (round(at.timestamp() * 1000) for at in (until - timedelta(days=1), until))

    lines = list(AccessLogTail(as_client(S3, shelves), "bucket", FOLDER, since, until=end).lines())

    assert [line.text.rpartition(" ")[2] for line in lines] == ['/at"', '/delayed"']
    assert not any("later" in key for key in shelves.read)


def test_a_file_that_was_half_told_goes_on_in_the_middle() -> None:
    now = datetime.now(UTC)
    shelves = Shelves()
    shelves.put("a", record(now, "/1"), record(now, "/2"), written=now)
    records = AccessLogTail(
        as_client(S3, shelves), "bucket", FOLDER, 0 + round((now - timedelta(hours=1)).timestamp() * 1000)
    )

    first = next(records.lines())
    rest = list(records.lines())

    assert (first.text[-3:], [line.text[-3:] for line in rest]) == ('/1"', ['/2"'])
    assert (first.service, first.id[-2:]) == ("ml-api-alb-prod", ":0")


def put(user: User, stream: str, *texts: str, group: str = GROUP, ago: float = 0.0) -> None:
    """Write as a task does, now or so many seconds ago."""
    logs = client(user.box.endpoint, "logs")
    known = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]
    if not known:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = round((time.time() - ago) * 1000)
    events = [{"timestamp": now, "message": text} for text in texts]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@pytest.fixture(scope="module")
def written(live_stack: LiveStack) -> User:
    """A stack two of whose tasks have written."""
    put(live_stack.desk, ONE, "hello", "ERROR no such thing")
    put(live_stack.desk, OTHER, "goodbye")
    return live_stack.desk


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ([], ["hello", "ERROR no such thing", "goodbye"]),
        (["--task", "3333"], ["goodbye"]),
        (["--service", "api", "--filter", "ERROR"], ["ERROR no such thing"]),
    ],
    ids=str,
)
def test_what_is_asked_for_is_told(written: User, asked: list[str], texts: list[str]) -> None:
    ran = written.well("logs", "--json", *asked)

    assert sorted(line["message"] for line in ran.lines) == sorted(texts)
    assert {line["service"] for line in ran.lines} == {"api"}


def test_only_the_newest_lines_are_told_if_that_is_wanted(written: User) -> None:
    (line,) = written.well("logs", "--json", "--task", "1111", "--limit", "1").lines

    assert line["message"] == "ERROR no such thing"


def test_what_is_later_than_until_is_not_told(written: User) -> None:
    put(written, ONE, "of two hours ago", ago=7200)

    assert [line["message"] for line in written.well("logs", "--json", "--since", "3h", "--until", "90m").lines] == [
        "of two hours ago"
    ]
    assert "until 10m ago" in written.well("logs", "--since", "20m", "--until", "10m").err


def test_each_task_has_a_colour_of_its_own(written: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = written.well("logs").out

    assert "\033[36mapi 1111aaaa\033[0m hello" in out
    assert "\033[32mapi 3333bbbb\033[0m goodbye" in out


@pytest.mark.parametrize(
    ("asked", "code", "told_"),
    [
        (["--suffix", "nobody"], 6, "No stack nobody is known"),
        (["--service", "apo"], 64, "Did you mean api?"),
        (["--since", "soon"], 64, "is no duration"),
        (["--until", "2h"], 64, "not later than --since"),
        (["--until", "10m", "--follow"], 64, "--follow goes on from now"),
        (["--limit", "0"], 64, "--limit"),
        (["--since", "999999h"], 64, "longer than 50 years"),
        (["--since", f"{'9' * 400}h"], 64, "longer than 50 years"),
    ],
)
def test_what_cannot_be_told_is_said(written: User, asked: list[str], code: int, told_: str) -> None:
    ran = written.run("logs", *asked)

    assert (ran.code, ran.out) == (code, "")
    assert told_ in ran.err


def test_the_database_has_a_log_of_its_own(written: User) -> None:
    put(
        written,
        "ml-api-writer.0",
        "LOG:  checkpoint",
        group=f"/aws/rds/cluster/ml-api-aurora-{SUFFIX}/postgresql",
    )

    assert written.well("logs", "--from", "database").out.endswith("Z ml-api-writer.0 LOG:  checkpoint\n")


def test_where_nobody_records_requests_it_is_said_plainly(written: User) -> None:
    ran = written.run("logs", "--from", "alb")

    assert (ran.code, ran.out) == (4, "")
    assert "its log group stays empty" in ran.err
    assert "logs.requests=true" in ran.err


def test_tasks_are_chosen_among_tasks_alone(written: User) -> None:
    ran = written.run("logs", "--from", "database", "--task", "1111")

    assert ran.code == 64


def test_nothing_found_is_no_error(written: User) -> None:
    ran = written.well("logs", "--task", "ffff")

    assert ran.out == ""
    assert "Nothing" in ran.err


def test_a_process_follows_until_it_is_told_to_stop(written: User) -> None:
    with written.spawn("logs", "--follow", "--local", "--task", "1111", "--filter", "hello") as process:
        assert process.stdout
        assert process.stdout.readline().endswith("api 1111aaaa hello\n")
        put(written, ONE, "hello again")
        assert process.stdout.readline().endswith("api 1111aaaa hello again\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


def test_nobody_reads_any_more_and_it_ends_quietly(written: User) -> None:
    with written.spawn("logs", "--follow", "--local", "--filter", "goodbye") as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        put(written, OTHER, "goodbye once more")
        assert process.wait(timeout=30) == 0
        assert process.stderr
        assert process.stderr.read() == ""


def test_expired_credentials_are_told_as_such(written: User) -> None:
    written.box.faults({"operation": "logs:FilterLogEvents", "fault": "expired", "times": 9})
    try:
        assert written.run("logs", "--follow").code == 3
    finally:
        written.box.faults()


def test_one_lost_answer_is_asked_for_again(written: User) -> None:
    written.box.faults({"operation": "logs:FilterLogEvents", "fault": "reset"})

    assert "goodbye" in written.well("logs", "--task", "3333").out


def test_an_answer_that_drips_is_given_up_and_asked_for_again(written: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.aws.connection.ANSWER_TIMEOUT_SECONDS", 2.0)
    with FaultProxy(written.box.endpoint) as front, led_through(written, front):
        order = front.order(plays.dripped_page(0.05), operation="FilterLogEvents")

        assert "goodbye" in written.well("logs", "--task", "3333").out

    assert order.struck == 1


def test_a_group_that_is_gone_is_told_with_what_brings_it_back(written: User) -> None:
    """The last one: it takes the group away."""
    client(written.box.endpoint, "logs").delete_log_group(logGroupName=GROUP)

    ran = written.run("logs")

    assert ran.code == 4
    assert f"apply --suffix {SUFFIX} --local` makes it again." in ran.err


class Down(LogTail):
    """Cannot be reached."""

    def lines(self) -> Iterator[LogLine]:
        """Nothing comes."""
        raise EndpointConnectionError(endpoint_url="https://logs")


def test_who_follows_is_not_sent_away_by_a_connection_that_is_down(
    capsys: pytest.CaptureFixture[str],
) -> None:
    down, session = Down(as_client(CloudWatchLogs, None), GROUP, 0), cast("Session", None)

    assert list(selected_lines(Console(), session, down, LogQuery(60, follow=True))) == []
    assert "goes on where it was" in capsys.readouterr().err
    with pytest.raises(ProvisionerError, match="reading /aws/ecs"):
        list(selected_lines(Console(), session, down, LogQuery(60)))


def test_lines_of_the_containers_of_one_task_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    lines = LogPrinter(Console(color=False))
    for stream in ("api/api/1111aaaa2222", "api/scratch/1111aaaa2222", "exact/scratch/3333", "writer.0"):
        lines.print(LogLine(NOW * 1000, stream, "ending with exit code 0", stream))

    heads = [line.split(" ", 1)[1].partition(" ending")[0] for line in capsys.readouterr().out.splitlines()]
    assert heads == ["api 1111aaaa", "api/scratch 1111aaaa", "exact/scratch 3333", "writer.0"]


def test_each_service_is_named_once_and_none_that_is_deposed() -> None:
    names = ("service", "service.exact", "service.exact~arn:aws:ecs:us-east-1:1:service/c/old.1")
    resources = {name: ResourceState("Service", "") for name in names}
    state = StackState("a", StackLocation("1", "aws", "us-east-1"), resources=resources)

    for name, hint in (("nope", "There are: api, exact."), ("exat", "Did you mean exact?")):
        with pytest.raises(UsageError) as caught:
            check_service_name(state, name)
        assert caught.value.hint == hint
    for known in ("", "api", "exact"):
        check_service_name(state, known)
