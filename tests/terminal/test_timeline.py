"""How a run went, told in every form; the page is opened in a browser where there is one."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser
from typing import Any

import pytest

from provisioner.engine.runs.timeline import Timeline, timeline_of
from provisioner.terminal.console import Console
from provisioner.terminal.timeline import chrome_trace, show_timeline
from provisioner.terminal.timeline_page import time_axis, timeline_page
from tests.support.report_pages import long_run


def step(verb: str, needs: dict[str, str], *moments: list[Any], beside: tuple[str, ...] = ()) -> dict[str, Any]:
    """One node as a record keeps it."""
    about = {"kind": "Thing", "region": "here", "piece": "piece", "id": "i", "waits": 0, "verb": verb}
    return {**about, "end": moments[-1][1], "needs": needs, "beside": list(beside), "moments": moments}


def record(**nodes: Any) -> dict[str, Any]:
    """A run of ten seconds."""
    calls = [[0.1, 0.2, "ec2:DescribeVpcs", "", ""], [1.0, 0.3, "ec2:CreateVpc", "vpc", "Throttling"]]
    told = {"suffix": "<prod>", "command": "apply", "result": "ok", "message": "", "start": 1e9, "seconds": 10.0}
    return {**told, "nodes": nodes, "calls": calls}


@pytest.fixture
def up() -> Timeline:
    """A network, a database that only needs it to be there, and a service that needs it ready."""
    return timeline_of(
        record(
            vpc=step("create", {}, [1.0, "starting"], [2.0, "exists"], [4.0, "ready"]),
            db=step("create", {"vpc": "exists"}, [2.0, "starting"], [2.5, "exists"], [8.0, "ready"]),
            app=step(
                "create",
                {"vpc": "ready"},
                [4.0, "starting"],
                [4.1, "retrying", 0.5, "no such role"],
                [5.0, "exists"],
                [6.0, "ready"],
            ),
        )
    )


def test_the_longest_chain_is_found_and_weighed_against_the_whole(up: Timeline) -> None:
    assert up.critical_path == (("vpc", 1.0), ("db", 6.0))
    assert (up.critical_seconds, up.efficiency) == (7.0, 0.7)
    assert [bar.logical_id for bar in up.bars if bar.is_critical] == ["vpc", "db"]


def test_calls_belong_to_the_step_they_were_made_for(up: Timeline) -> None:
    (vpc,) = (bar for bar in up.bars if bar.logical_id == "vpc")

    assert [(call.label, call.detail) for call in vpc.calls] == [("ec2:CreateVpc", "Throttling")]
    assert [call.label for call in up.other_calls] == ["ec2:DescribeVpcs"]
    assert [len(bar.attempts) for bar in up.bars] == [0, 0, 1]


def test_a_teardown_goes_the_other_way_and_ends_may_overlap() -> None:
    gone = [[1.0, "starting"], [2.0, "going"], [5.0, "gone"]]
    needs: dict[str, str] = {"cluster": "exists"}

    apart = timeline_of(record(cluster=step("delete", {}, *gone), instance=step("delete", needs, *gone)))
    beside = timeline_of(
        record(cluster=step("delete", {}, *gone, beside=("instance",)), instance=step("delete", needs, *gone))
    )

    assert (apart.critical_seconds, beside.critical_seconds) == (8.0, 5.0)


def test_a_run_that_did_nothing_has_no_chain() -> None:
    assert (timeline_of(record()).critical_path, timeline_of(record()).efficiency) == ((), 0.0)


def test_trace_events_are_whole_and_never_overlap_in_a_lane(up: Timeline) -> None:
    events = chrome_trace(up)["traceEvents"]

    spans = [event for event in events if event["ph"] == "X"]
    assert all({"name", "pid", "tid", "ts", "dur"} <= event.keys() for event in spans)
    calls = [event for event in spans if event["pid"] == 2]
    laid = sorted((event["tid"], event["ts"], event["ts"] + event["dur"]) for event in calls)
    assert all(one[0] != two[0] or one[2] <= two[1] for one, two in itertools.pairwise(laid))


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.classes.append(given.get("class") or "")
        self.loads += [value for name, value in attrs if name in ("src", "href", "srcset") and value]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_by_itself_and_escapes_what_it_tells(up: Timeline) -> None:
    text, seen = timeline_page(up), Seen()
    seen.feed(text)

    assert (seen.open, seen.loads) == ([], [])
    assert "url(" not in text
    assert "@import" not in text
    assert seen.classes.count("bar-row critical") == 2
    assert "prefers-color-scheme: dark" in text
    assert "<prod>" not in text


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (0.04, "0 s, 0.01 s, 0.02 s, 0.03 s"),
        (2.3, "0 s, 0.5 s, 1 s, 1.5 s, 2 s"),
        (59.0, "0 s, 10 s, 20 s, 30 s, 40 s, 50 s"),
        (100.0, "0 s, 30 s, 60 s, 90 s"),
        (700.0, "0 min, 2 min, 4 min, 6 min, 8 min, 10 min"),
        (2412.0, "0 min, 10 min, 20 min, 30 min"),
        (9000.0, "0 min, 30 min, 60 min, 90 min, 120 min"),
        (30000.0, "0 h, 2 h, 4 h, 6 h"),
        (1_000_000.0, "0 h, 46.3 h, 92.59 h, 138.9 h, 185.2 h, 231.5 h"),
    ],
)
def test_an_axis_has_round_times_that_fit_it(seconds: float, labels: str) -> None:
    axis = time_axis(seconds)

    assert ", ".join(tick.label for tick in axis.ticks) == labels
    assert all(0 <= tick.percent <= 90 for tick in axis.ticks)


def test_what_a_killed_run_was_at_work_on_lasts_to_its_end() -> None:
    killed = record(vpc=step("create", {}, [1.0, "starting"], [2.0, "waiting", 1.0, "slow"])) | {"result": "running"}
    killed["nodes"]["vpc"]["end"] = ""

    timeline = timeline_of(killed)

    (bar,) = timeline.bars
    assert (timeline.result, bar.failed, bar.work.seconds, bar.wait.seconds) == ("did not end", True, 9.0, 0.0)


@pytest.mark.parametrize("result", ["ok", "incomplete", "running"])
@pytest.mark.parametrize("width", [80, 200])
def test_the_lines_fit_a_terminal(
    width: int, result: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioner.terminal.timeline.terminal_width", lambda _: width)
    monkeypatch.setattr("provisioner.terminal.console.terminal_width", lambda _: width)

    show_timeline(Console(), timeline_of(long_run(2412.0, 75, result)))

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:3] == ["resource", "start", "took"]
    assert "30 min" in lines[0]
    bars = {line.index("|") for line in lines[:76]}
    assert len(bars) == 1
    assert sum(line.startswith("x ") for line in lines) == (0 if result == "ok" else 2)
