"""How long the rest of a run will take, and how that is told."""

from __future__ import annotations

import pytest
from rich.text import Text

from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.estimates.time_estimate import ProgressEstimate
from provisioner.engine.execution.events import Event
from provisioner.engine.runs.recorder import RecordedResource
from provisioner.terminal.progress import ProgressBoard, retry_reason
from tests.support.fake_resources import Thing

TAKES = {"db": 50.0, "app": 10.0}


class Watch:
    """A clock that is set by hand."""

    time = 0.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


def outlook(watch: Watch, verb: str) -> ProgressEstimate:
    """An app that waits for a database; alone, they take 50 and 10 seconds."""
    steps = {name: RecordedResource(name, "here", "piece") for name in TAKES}
    steps["app"].depends_on["db"] = "ready"
    history = DurationHistory()
    for name, seconds in TAKES.items():
        history.samples |= {(type_name, "here", verb, what): [0.0] for type_name in TAKES for what in ("exists",)}
        history.samples[name, "here", verb, "ready" if verb == "create" else "gone"] = [seconds]
    type_names = {name: type(name, (Thing,), {})() for name in TAKES}
    return ProgressEstimate.for_run(steps, dict.fromkeys(TAKES, verb), type_names, history, watch.now)


def test_what_is_left_shrinks_with_time_and_with_what_is_done(watch: Watch) -> None:
    rest = outlook(watch, "create")
    told = [rest.seconds_left()]
    for at, event in (
        (0.0, Event("starting", "db")),
        (1.0, Event("exists", "db")),
        (21.0, None),
        (40.0, Event("ready", "db")),
        (40.0, Event("starting", "app")),
        (40.0, Event("exists", "app")),
        (45.0, None),
        (90.0, None),
    ):
        watch.time = at
        if event:
            rest.record_event(event)
        told.append(rest.seconds_left())

    assert told == [60, 60, 60, 40, 10, 10, 10, 5, 0]
    assert (rest.total_seconds(), rest.typical_seconds("db")) == (60, 50)


def test_a_teardown_ends_with_what_everything_needs(watch: Watch) -> None:
    rest = outlook(watch, "delete")
    rest.record_event(Event("starting", "app", "delete"))
    watch.time = 4.0

    assert (rest.total_seconds(), rest.seconds_left()) == (60, 56)


def test_what_is_waited_for_does_not_read_like_an_error() -> None:
    told = "CreateDBInstance answered InvalidDBClusterStateFault: The cluster is not ready. (request 1-2)"

    assert retry_reason(told) == "The cluster is not ready."
    assert retry_reason("held by eni-1") == "held by eni-1"


@pytest.mark.parametrize("columns", [200, 45, 30])
def test_the_bar_fits_the_terminal_and_goes_when_all_is_done(watch: Watch, columns: int) -> None:
    board = ProgressBoard({"db": "aurora", "app": "ecs"}, outlook(watch, "create"), columns=columns)
    board.record_event(Event("starting", "db", "create"))

    told = Text.from_markup(board.progress_bar()).plain
    assert told.endswith(" 0%, about 60 s left")
    assert len(told) <= columns

    for node in ("db", "app"):
        board.record_event(Event("ready", node, "create"))
    assert board.progress_bar() == ""
