"""What AWS still hides, and what it still shows from before, by replies that come in an order that a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.engine.execution.consistency import ConsistencyLookup
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS, ManagedResource
from provisioner.engine.execution.waiter import Waiter
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import OwnershipConflict
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import WaitTimeout
from tests.support.fake_resources import OURS, SUFFIX, Thing, seen
from tests.support.memory_object_store import Hands

THEIRS = {**OURS, "Environment": "theirs"}


class Replying(Thing):
    """Is read as a test says: one reply after the other, and the last of them for ever."""

    tagged = True
    timeout = 600.0

    def __init__(self, *replies: JsonObject | None) -> None:
        self.replies: Iterator[JsonObject | None] = iter(replies)
        self.last = replies[-1]
        self.reads: list[float] = []
        self.at: Callable[[], float] = lambda: 0.0

    def read(self, *_: Any) -> JsonObject | None:
        self.reads.append(self.at())
        return next(self.replies, self.last)


@pytest.fixture
def clock() -> Hands:
    return Hands()


def clients_of(clock: Hands, speed: float = 1.0, *, is_faithful: bool = True) -> Any:
    """Clients of an AWS that is so fast, or of an emulator that hides nothing (0)."""
    aws = SimpleNamespace(
        speed=speed, consistency_window=lambda usual: usual * speed, endpoint="", is_faithful=is_faithful
    )
    return SimpleNamespace(clock=clock, aws=aws, client=lambda *_: None, since=0.0)


def managed(resource_type: Thing, **props: Any) -> ManagedResource:
    return ManagedResource(resource_type, ResourceSpec("thing", "ml-api-thing-prod", SUFFIX, props, OURS, "t-1"))


def found_by(clock: Hands, resource_type: Replying, hidden: float = CONSISTENCY_SECONDS, speed: float = 1.0) -> Any:
    resource_type.at = lambda: clock.at - start
    start = clock.at
    return ConsistencyLookup(clients_of(clock, speed)).find(managed(resource_type), clock.wall(), hidden)


@pytest.mark.parametrize("misses", range(6))
def test_what_no_second_hides_may_still_be_hidden_from_a_few_looks(clock: Hands, misses: int) -> None:
    """Where AWS takes no time, its reads miss a new resource by their number."""
    replies = [*[None] * misses, seen()]

    assert found_by(clock, Replying(*replies), speed=0.0) == seen()


def test_after_six_looks_that_miss_it_there_is_none_where_no_second_hides_it(clock: Hands) -> None:
    shy = Replying(None)

    assert found_by(clock, shy, speed=0.0) is None
    assert len(shy.reads) == 6


def test_it_is_looked_for_until_aws_must_show_it_and_no_longer(clock: Hands) -> None:
    shy = Replying(None)

    assert found_by(clock, shy) is None
    assert CONSISTENCY_SECONDS - 0.1 <= shy.reads[-1] <= CONSISTENCY_SECONDS + 1
    assert len(shy.reads) >= 6


def test_what_a_second_create_would_find_is_looked_for_once(clock: Hands) -> None:
    shy = Replying(None)

    assert found_by(clock, shy, hidden=0.0) is None
    assert shy.reads == [0.0]


def test_what_has_left_is_none(clock: Hands) -> None:
    assert found_by(clock, Replying(seen("left"))) is None


def test_what_bears_no_tags_yet_may_be_ours(clock: Hands) -> None:
    """A list may show a new resource before its tags."""
    assert found_by(clock, Replying(seen(tags={}), seen(tags={}), seen())) == seen()


@pytest.mark.parametrize("hidden", [CONSISTENCY_SECONDS, 0.0])
def test_who_is_somebody_elses_to_the_end_is_told(clock: Hands, hidden: float) -> None:
    theirs = Replying(seen(tags=THEIRS))

    with pytest.raises(OwnershipConflict, match="Environment=theirs"):
        found_by(clock, theirs, hidden=hidden)
    assert len(theirs.reads) >= 6


def test_seconds_that_have_passed_since_the_attempt_count_also_those_of_a_machine_that_slept(clock: Hands) -> None:
    since = clock.wall()
    clock.suspend(CONSISTENCY_SECONDS - 1)
    lookup = ConsistencyLookup(clients_of(clock))
    shy = Replying(None)

    assert lookup.find(managed(shy), since, CONSISTENCY_SECONDS) is None
    assert clock.at - 1000 < CONSISTENCY_SECONDS + 5


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_wall_clock_that_is_set_does_not_make_the_looks_endless(clock: Hands, step: float) -> None:
    since = clock.wall()
    clock.step(step)
    shy = Replying(None)

    assert ConsistencyLookup(clients_of(clock)).find(managed(shy), since, CONSISTENCY_SECONDS) is None
    assert len(shy.reads) >= 6
    assert clock.at - 1000 <= CONSISTENCY_SECONDS + 1


def test_an_attempt_lies_between_its_intent_and_the_start_of_this_run(clock: Hands) -> None:
    lookup = ConsistencyLookup(clients_of(clock))
    start = clock.wall()
    clock.sleep(100)

    assert lookup.last_attempt(managed(Replying(None)), start - 60) == start
    assert lookup.last_attempt(managed(Replying(None)), start - 6000) == start - 5400
    assert lookup.last_attempt(managed(Replying(None)), start + 60) == start + 60


RED, BLUE = {"Colour": "red"}, {"Colour": "blue"}


def wait(clock: Hands, resource_type: Replying, *, updated: bool = True, is_faithful: bool = True) -> JsonObject:
    """Wait for a thing that was made blue."""
    clients = clients_of(clock, is_faithful=is_faithful)
    history: Any = SimpleNamespace(typical_seconds=lambda *_: 0.0)
    waiter = Waiter(clients, lambda _event: None, history)
    return waiter.wait_until_ready(managed(resource_type, **BLUE), updated=updated, on_read=lambda _doc: None)


def test_what_is_read_from_before_an_update_is_not_taken_for_ready(clock: Hands) -> None:
    old, new = seen(**RED), seen(**BLUE)

    assert wait(clock, Replying(old, old, new, old)) == new


def test_what_never_becomes_as_it_was_asked_for_is_ready_once_aws_shows_no_old_reply_any_more(clock: Hands) -> None:
    assert wait(clock, Replying(seen(**RED))) == seen(**RED)
    assert CONSISTENCY_SECONDS <= clock.at - 1000 <= CONSISTENCY_SECONDS + 2


@pytest.mark.parametrize(("updated", "is_faithful"), [(False, True), (True, False)])
def test_what_was_not_changed_and_what_an_emulator_forgets_is_no_old_reply(
    clock: Hands, updated: bool, is_faithful: bool
) -> None:
    assert wait(clock, Replying(seen(**RED)), updated=updated, is_faithful=is_faithful) == seen(**RED)
    assert clock.at == 1000


def test_replies_in_the_first_seconds_after_an_update_do_not_count_where_the_type_says_so(clock: Hands) -> None:
    class Late(Replying):
        stale_seconds = 20.0

    told: list[float] = []
    history: Any = SimpleNamespace(typical_seconds=lambda *_: 0.0)
    waiter = Waiter(clients_of(clock), lambda _event: None, history)
    waiter.wait_until_ready(
        managed(Late(seen(**BLUE)), **BLUE), updated=True, on_read=lambda _doc: told.append(clock.at - 1000)
    )

    assert len(told) == 1
    assert 20 <= told[0] <= 21


def test_what_is_hidden_right_after_its_create_is_waited_for(clock: Hands) -> None:
    assert wait(clock, Replying(None, None, seen(**BLUE)), updated=False) == seen(**BLUE)


def test_one_that_never_comes_is_left_to_the_next_run(clock: Hands) -> None:
    with pytest.raises(WaitTimeout, match="not ready after 600 s"):
        wait(clock, Replying(seen("coming")))
    assert 600 <= clock.at - 1000 <= 610
