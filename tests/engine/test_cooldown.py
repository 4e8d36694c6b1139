"""What AWS takes only so often: a cooldown runs from a change of ours alone, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.execution.adoption import adopt
from provisioner.engine.execution.cooldown import with_cooldown
from provisioner.engine.execution.events import Event
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.resource_calls import describe_refusal
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.planner import decide_change
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import RetryLater
from provisioner.engine.types.data import codes, minutes
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import CooldownActive
from provisioner.names import WRITER
from state.manager import StateManager
from state.stack_state import Intent, ResourceState, StackLocation, StackState
from tests.engine.test_waiter import Hurried
from tests.support.fake_resources import OURS, SUFFIX, Thing, node
from tests.support.memory_state_store import MemoryStateStore

HOUR = 3600.0
NOON = (20_000 * 24 + 12) * HOUR
PATIENCE = minutes(20)


class Moved(Hurried):
    """A clock that tests move: the wall's time goes with it, and may be wrong by `off` seconds."""

    def __init__(self, off: float = 0.0) -> None:
        super().__init__()
        self.time, self.off = NOON, off

    def wall(self) -> float:
        return self.time + self.off


class Lost(ConnectionError):
    """The process ends here."""


class Valve(Thing):
    """A setting of a thing: AWS takes one change of it an hour, and refuses the next."""

    tagged, deleted_with_parent = False, True
    immutable: ClassVar[Any] = frozenset()
    cooldown, cooldown_codes, timeout = minutes(60), codes("ValidationException: too often"), PATIENCE

    def __init__(self, clock: Hurried, last: float = -HOUR) -> None:
        self.clock, self.last, self.colour = clock, last, "red"
        self.tries = 0
        self.dies: str = ""

    def read(self, *_: Any) -> JsonObject:
        return {"Id": "t-1", "Colour": self.colour, "State": "up"}

    def update(self, _client: Any, spec: ResourceSpec, _changed: JsonObject) -> None:
        self.tries += 1
        if self.dies == "before":
            raise Lost
        if self.clock.time - self.last < HOUR:
            raise too_often()
        self.last = self.clock.time
        if self.colour and spec.props["Colour"]:
            self.colour = ""
            raise RetryLater("the rest", due=HOUR)
        self.colour = spec.props["Colour"]
        if self.dies == "after":
            raise Lost

    def create(self, client: Any, spec: ResourceSpec) -> JsonObject:
        self.update(client, spec, {})
        return self.read()

    def change_count(self, seen: JsonObject, wanted: JsonObject) -> int:
        return 2 if seen["Colour"] and wanted["Colour"] else 1


def too_often() -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": "Too often"}}, "Paint")


class Run:
    """Runs of ours, one after another, with one ledger."""

    def __init__(self, clock: Moved, valve: Valve, resource_state: ResourceState | None = None) -> None:
        resource_states = {"thing": resource_state} if resource_state else {}
        self.clock, self.valve = clock, valve
        self.document = StackState(SUFFIX, StackLocation("1", "aws", "us-east-1"), resources=resource_states)
        self.told: list[Event] = []

    def apply(self, colour: str) -> None:
        """One run, as `Apply` carries out what is seen."""
        aws = SimpleNamespace(speed=1.0, consistency_window=lambda usual: usual, endpoint="", is_faithful=True)
        clients: Any = SimpleNamespace(clock=self.clock, aws=aws, client=lambda *_: None)
        executor = ResourceExecutor(
            clients, StateManager(self.document, MemoryStateStore(), WRITER, self.clock.wall), self.told.append
        )
        wanted = {"Id": "t-1", "Colour": colour}
        managed = ManagedResource(self.valve, ResourceSpec("thing", "", SUFFIX, wanted, OURS, "t-1"))
        resource_state = self.entry
        change = decide_change(
            replace(node(Thing), type=self.valve, tags={}), resource_state, self.valve.read(), wanted
        )
        adopt(executor, managed, change, resource_state)
        if change.action == "update":
            managed = executor.update(managed, change)
        executor.wait_and_confirm(managed, updated=change.action == "update", on_read=lambda _doc: None)

    @property
    def entry(self) -> ResourceState | None:
        return self.document.resources.get("thing")

    @property
    def changed(self) -> float:
        resource_state = self.entry
        assert resource_state
        return resource_state.changed_at


def known(changed: float = 0.0, *, made: float = 0.0) -> ResourceState:
    return ResourceState("Valve", "", phase="ready", id="t-1", created_at=made, changed_at=changed)


def test_what_was_only_found_is_changed_at_once() -> None:
    """A run that was killed before the first change had the next one wait an hour."""
    clock = Moved()
    run = Run(clock, Valve(clock))

    run.apply("")

    assert (run.valve.colour, clock.sleeps) == ("", [])
    assert run.changed == NOON


@pytest.mark.parametrize("made", [NOON, NOON - 60, NOON + 10 * HOUR], ids=str)
def test_what_was_made_a_moment_ago_is_changed_at_once(made: float) -> None:
    clock = Moved()
    run = Run(clock, Valve(clock), known(made=made))

    run.apply("")

    assert (run.valve.colour, clock.sleeps) == ("", [])


def test_a_create_that_is_a_change_starts_the_cooldown() -> None:
    clock = Moved()
    valve = Valve(clock)
    valve.colour = ""
    run = Run(clock, valve)
    aws = SimpleNamespace(speed=1.0, consistency_window=lambda usual: usual, endpoint="", is_faithful=True)
    clients: Any = SimpleNamespace(clock=clock, aws=aws, client=lambda *_: None)
    executor = ResourceExecutor(
        clients, StateManager(run.document, MemoryStateStore(), WRITER, clock.wall), run.told.append
    )

    executor.create(ManagedResource(valve, ResourceSpec("thing", "", SUFFIX, {"Id": "t-1", "Colour": "blue"}, OURS)))

    assert run.changed == NOON


def test_a_cooldown_of_ours_that_is_nearly_over_is_waited_for() -> None:
    clock = Moved()
    last = NOON - HOUR + 600
    run = Run(clock, Valve(clock, last), known(last))

    run.apply("")

    assert (run.valve.tries, clock.sleeps) == (1, [600.0])
    assert any(one.type == "waiting" and "60 minutes" in one.detail for one in run.told)


def test_a_change_too_soon_after_one_of_ours_is_not_tried() -> None:
    clock = Moved()
    run = Run(clock, Valve(clock, NOON - 1800), known(NOON - 1800))

    with pytest.raises(CooldownActive, match=r"from 12:30 UTC"):
        run.apply("")

    assert (run.valve.tries, run.changed) == (0, NOON - 1800)


def test_half_of_a_change_is_made_and_the_rest_put_off() -> None:
    clock = Moved()
    run = Run(clock, Valve(clock), known())

    with pytest.raises(CooldownActive, match=r"from 13:00 UTC"):
        run.apply("blue")

    resource_state = run.entry
    assert resource_state
    assert (resource_state.phase, resource_state.intent, resource_state.changed_at) == ("finishing", None, NOON)
    clock.time += HOUR
    run.apply("blue")
    assert run.valve.colour == "blue"


def test_where_somebody_else_was_first_and_it_is_soon_it_is_waited_out() -> None:
    clock = Moved()
    run = Run(clock, Valve(clock, NOON - HOUR + 900), known())

    run.apply("")

    assert run.valve.colour == ""
    assert NOON + 900 <= clock.time <= NOON + PATIENCE
    assert run.changed == clock.time


def test_where_somebody_else_was_first_the_refusal_starts_no_cooldown() -> None:
    clock = Moved()
    run = Run(clock, Valve(clock, NOON - 60), known())

    with pytest.raises(CooldownActive, match=r"from 13:\d\d UTC at the latest"):
        run.apply("")

    assert run.changed == 0
    clock.time = NOON + HOUR
    run.apply("")
    assert run.valve.colour == ""


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_run_that_died_at_the_call_costs_the_next_one_nothing(dies: str) -> None:
    clock = Moved()
    run = Run(clock, Valve(clock), known())
    run.valve.dies = dies
    with pytest.raises(Lost):
        run.apply("")
    run.valve.dies = ""
    clock.time += 300

    run.apply("")

    assert (run.valve.colour, clock.sleeps) == ("", [])
    assert run.changed == (NOON if dies == "after" else NOON + 300)


def test_the_change_of_a_run_that_died_is_what_a_refusal_is_counted_from() -> None:
    """Its second half comes an hour after it, not an hour after the refusal."""
    clock = Moved()
    resource_state = replace(known(), phase="updating", intent=Intent("update", "x", NOON - 1800))
    run = Run(clock, Valve(clock, NOON - 1800), resource_state)

    with pytest.raises(CooldownActive, match=r"from 12:30 UTC\."):
        run.apply("")

    assert (run.valve.tries, run.changed) == (1, NOON - 1800)


def test_what_a_wrong_clock_wrote_down_is_no_reason_to_wait() -> None:
    clock = Moved(off=-24 * HOUR)
    run = Run(clock, Valve(clock), known(NOON - 2 * HOUR))

    run.apply("")

    assert (run.valve.colour, clock.sleeps) == ("", [])


@pytest.mark.parametrize(
    ("made", "changed", "colours", "done"),
    [
        (1.0, 0.0, ("red", ""), ""),
        (NOON - 1800, 0.0, ("red", ""), ""),
        (1.0, NOON - 600, ("red", ""), "12:50 UTC"),
        (1.0, 0.0, ("red", "blue"), "13:00 UTC"),
        (NOON - 60, 0.0, ("red", "blue"), "13:00 UTC"),
        (1.0, NOON - 1800, ("red", "blue"), "13:30 UTC"),
        (1.0, NOON + 1800, ("red", ""), ""),
    ],
)
def test_a_plan_says_when_all_of_a_change_is_done(
    made: float, changed: float, colours: tuple[str, str], done: str
) -> None:
    told = why(known(changed, made=made), *colours)

    assert told == (f"AWS takes one change in 60 minutes: done from {done}" if done else "")


def test_a_plan_says_nothing_where_nothing_is_known_takes_time_or_changes() -> None:
    resource_state = known(NOON)

    assert why(None, "red", "") == ""
    assert why(resource_state, "red", "blue", pace=0.0) == ""
    keep = Change("keep", "thing", "Valve", "", "")
    assert with_cooldown(keep, Valve(Moved()), resource_state, ({}, {}), NOON, 1.0).reason == ""


def why(resource_state: ResourceState | None, *colours: str, pace: float = 1.0) -> str:
    """What a plan says of a change of colour."""
    seen, wanted = ({"Colour": colour} for colour in colours)
    update = Change("update", "thing", "Valve", "", "piece")
    return with_cooldown(update, Valve(Moved()), resource_state, (seen, wanted), NOON, pace).reason


def test_why_a_call_is_tried_again_is_said_without_the_name_of_a_class() -> None:
    assert describe_refusal(RetryLater("it is disabled, and CloudFront is deploying that")) == (
        "it is disabled, and CloudFront is deploying that"
    )
    assert "Too often" in describe_refusal(too_often())
