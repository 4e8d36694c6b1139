from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.calls.polling import Clock, Stopped, poll_interval, poll_until, retry


class Hurried(Clock):
    """A clock on which sleeping takes no time; it remembers every sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds


def test_an_answer_at_once_costs_no_sleep() -> None:
    clock = Hurried()

    assert poll_until(lambda: "up", clock=clock, due=100, timeout=600) == "up"
    assert retry(lambda: "up", when=lambda _: True, clock=clock, timeout=600) == "up"
    assert clock.sleeps == []


def test_false_is_an_answer_and_none_is_not() -> None:
    answers = iter([None, None, False])

    assert poll_until(lambda: next(answers), clock=Hurried(), due=0, timeout=600) is False


@given(due=st.floats(0, 600), after=st.floats(0, 1200))
def test_a_state_is_seen_soon_after_it_has_come_and_never_before(due: float, after: float) -> None:
    clock = Hurried()
    start = clock.time

    found = poll_until(lambda: True if clock.time - start >= after else None, clock=clock, due=due, timeout=3600)

    late = clock.time - start - max(after, 0.9 * due if after else 0)
    assert found
    assert late <= max(0.55, 0.021 * (clock.time - start))


@given(due=st.floats(0, 600), patience=st.floats(0, 600))
def test_patience_runs_out_and_then_nothing_is_found(due: float, patience: float) -> None:
    clock = Hurried()
    start = clock.time

    assert poll_until(lambda: None, clock=clock, due=due, timeout=patience) is None
    assert patience < clock.time - start <= max(patience, due) * 1.03 + 1


def test_long_before_a_state_is_due_the_looks_are_few_and_around_it_none_is_late() -> None:
    clock = Hurried()
    start = clock.time
    poll_until(lambda: True if clock.time - start >= 100 else None, clock=clock, due=100, timeout=600)

    looks = list(itertools.accumulate(clock.sleeps))
    assert len([look for look in looks if look < 89]) <= 7
    assert looks[-1] <= 102


def test_a_state_that_comes_far_too_early_is_seen_within_twice_its_time_or_soon() -> None:
    clock = Hurried()
    start = clock.time
    poll_until(lambda: True if clock.time - start >= 2 else None, clock=clock, due=400, timeout=600)

    assert sum(clock.sleeps) <= 400 / 16


@given(elapsed=st.floats(0, 10_000), due=st.floats(0, 10_000))
def test_a_step_is_never_so_short_that_it_spins(elapsed: float, due: float) -> None:
    assert poll_interval(elapsed, due) >= 0.05


def failing(times: int, error: Exception) -> object:
    calls = itertools.count()

    def call() -> str:
        if next(calls) < times:
            raise error
        return "done"

    return call


def test_a_call_is_made_again_until_it_answers() -> None:
    told: list[tuple[str, float]] = []
    clock = Hurried()

    answer = retry(
        failing(3, TimeoutError("slow")),
        when=lambda error: isinstance(error, TimeoutError),
        clock=clock,
        timeout=600,
        told=lambda error, seconds: told.append((str(error), seconds)),
    )

    assert answer == "done"
    assert [words for words, _ in told] == ["slow"] * 3
    assert [seconds for _, seconds in told] == clock.sleeps


def test_an_error_that_time_does_not_cure_is_raised_at_once() -> None:
    clock = Hurried()

    with pytest.raises(KeyError):
        retry(failing(1, KeyError("x")), when=lambda _: False, clock=clock, timeout=600)

    assert clock.sleeps == []


def test_when_patience_is_over_the_error_itself_is_raised() -> None:
    clock = Hurried()
    start = clock.time

    with pytest.raises(TimeoutError, match="slow"):
        retry(failing(10_000, TimeoutError("slow")), when=lambda _: True, clock=clock, timeout=60)

    assert 60 < clock.time - start <= 71


def test_the_back_off_has_jitter_and_a_ceiling() -> None:
    clock = Hurried()
    retry(failing(60, TimeoutError()), when=lambda _: True, clock=clock, timeout=10_000)

    assert max(clock.sleeps) <= 10
    assert len(set(clock.sleeps)) > 50


def test_a_caller_may_say_itself_how_long_to_wait() -> None:
    clock = Hurried()
    retry(
        failing(2, TimeoutError()),
        when=lambda _: True,
        clock=clock,
        timeout=600,
        steps=lambda _error, elapsed: 5 + elapsed,
    )

    assert clock.sleeps == [5, 10]


def test_a_stop_ends_a_sleep_at_once() -> None:
    clock = Clock()
    threading.Timer(0.01, clock.stop).start()

    with pytest.raises(Stopped):
        poll_until(lambda: None, clock=clock, due=60, timeout=600)

    assert clock.stopped


def test_a_stopped_clock_lets_nobody_sleep() -> None:
    clock = Clock()
    clock.stop()

    with pytest.raises(Stopped):
        clock.sleep(60)


@given(hidden=st.floats(0.5, 300), shown=st.floats(0, 1))
def test_what_is_hidden_is_looked_for_seldom_and_seen_soon(hidden: float, shown: float) -> None:
    clock = Hurried()
    start, at = clock.time, shown * hidden

    found = poll_until(
        lambda: True if clock.time - start >= at else None,
        clock=clock,
        due=0,
        timeout=hidden + 60,
        hidden=hidden,
    )

    late = clock.time - start - at
    assert found
    assert late <= max(0.06, 0.2 * at + 0.02)
    assert len(clock.sleeps) <= 50


def test_the_last_look_for_what_is_hidden_is_at_its_end() -> None:
    clock = Hurried()
    start = clock.time
    seen: list[float] = []

    poll_until(lambda: seen.append(clock.time - start), clock=clock, due=0, timeout=60.0, hidden=60.0)

    assert any(59.99 < one < 60.01 for one in seen)
    assert len(seen) <= 50
