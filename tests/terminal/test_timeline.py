"""How a run went, told in every form; the page is opened in a browser where there is one."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser
from typing import Any

import pytest

from provisioner.engine.runs.timeline import Timeline, timeline_of
from provisioner.terminal.timeline import chrome_trace
from provisioner.terminal.timeline_page import timeline_page


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
