from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from tenacity import retry_if_exception, stop_after_attempt, stop_after_delay, wait_fixed

from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.engine.calls.polling import consistency_interval, poll_interval, wait_until_due, wait_while_hidden
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy, retry_if_code, retry_within
from tests.engine.test_user_errors import answered

ANY_ERROR = retry_if_exception(lambda _: True)


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


def polling(clock: Clock, due: float, timeout: float) -> RetryPolicy:
    """The policy that asks for something that usually takes `due` seconds."""
    return RetryPolicy(clock, stop_after_delay(timeout), wait=wait_until_due(due))


def test_an_answer_at_once_costs_no_sleep() -> None:
    clock = Hurried()

    assert polling(clock, 100, 600).poll(lambda: "up") == "up"
    assert RetryPolicy(clock, stop_after_delay(600), ANY_ERROR).call(lambda: "up") == "up"
    assert clock.sleeps == []


def test_false_is_an_answer_and_none_is_not() -> None:
    answers = iter([None, None, False])

    assert polling(Hurried(), 0, 600).poll(lambda: next(answers)) is False


@given(due=st.floats(0, 600), after=st.floats(0, 1200))
def test_a_state_is_seen_soon_after_it_has_come_and_never_before(due: float, after: float) -> None:
    clock = Hurried()
    start = clock.time

    found = polling(clock, due, 3600).poll(lambda: True if clock.time - start >= after else None)

    late = clock.time - start - max(after, 0.9 * due if after else 0)
    assert found
    assert late <= max(0.55, 0.021 * (clock.time - start))


@given(due=st.floats(0, 600), patience=st.floats(0, 600))
def test_patience_runs_out_and_then_nothing_is_found(due: float, patience: float) -> None:
    clock = Hurried()
    start = clock.time

    assert polling(clock, due, patience).poll(lambda: None) is None
    assert patience <= clock.time - start <= max(patience, due) * 1.03 + 1


def test_long_before_a_state_is_due_the_looks_are_few_and_around_it_none_is_late() -> None:
    clock = Hurried()
    start = clock.time
    polling(clock, 100, 600).poll(lambda: True if clock.time - start >= 100 else None)

    looks = list(itertools.accumulate(clock.sleeps))
    assert len([look for look in looks if look < 89]) <= 7
    assert looks[-1] <= 102


def test_a_state_that_comes_far_too_early_is_seen_within_twice_its_time_or_soon() -> None:
    clock = Hurried()
    start = clock.time
    polling(clock, 400, 600).poll(lambda: True if clock.time - start >= 2 else None)

    assert sum(clock.sleeps) <= 400 / 16


@given(elapsed=st.floats(0, 10_000), due=st.floats(0, 10_000))
def test_a_step_is_never_so_short_that_it_spins(elapsed: float, due: float) -> None:
    assert poll_interval(elapsed, due) >= 0.05


@pytest.mark.parametrize(
    ("elapsed", "due", "seconds"),
    [
        (0, 160, 10),  # a sixteenth of the usual time
        (20, 160, 20),  # then twice as far each time
        (140, 160, 4),  # and once right before it is due
        (9.4, 10, 0.15),
        (95, 100, 1.33),  # 1.4 % of the time waited
        (900, 1000, 12.6),
        (5, 0, 0.3),
    ],
)
def test_the_steps_of_a_wait_are_these(elapsed: float, due: float, seconds: float) -> None:
    assert poll_interval(elapsed, due) == pytest.approx(max(seconds, 0.014 * elapsed if elapsed >= 0.9 * due else 0))


def test_once_nothing_can_be_hidden_any_more_the_looks_are_at_the_usual_distance() -> None:
    assert consistency_interval(60, 60) == consistency_interval(61, 60) == 0.3
    assert 0.05 <= consistency_interval(0, 60) <= 0.1
    assert 1.8 <= consistency_interval(10, 60) <= 2
    assert consistency_interval(59.5, 60) == 0.5


def failing(times: int, error: Exception) -> Callable[[], str]:
    calls = itertools.count()

    def call() -> str:
        if next(calls) < times:
            raise error
        return "done"

    return call


def test_a_call_is_made_again_until_it_answers() -> None:
    told: list[tuple[str, float]] = []
    clock = Hurried()

    policy = RetryPolicy(
        clock,
        stop_after_delay(600),
        retry_if_exception(lambda error: isinstance(error, TimeoutError)),
        on_retry=lambda error, seconds: told.append((str(error), seconds)),
    )
    answer = policy.call(failing(3, TimeoutError("slow")))

    assert answer == "done"
    assert [words for words, _ in told] == ["slow"] * 3
    assert [seconds for _, seconds in told] == clock.sleeps


def test_an_error_that_time_does_not_cure_is_raised_at_once() -> None:
    clock = Hurried()

    with pytest.raises(KeyError):
        RetryPolicy(clock, stop_after_delay(600)).call(failing(1, KeyError("x")))

    assert clock.sleeps == []


def test_when_patience_is_over_the_error_itself_is_raised() -> None:
    clock = Hurried()
    start = clock.time

    with pytest.raises(TimeoutError, match="slow"):
        RetryPolicy(clock, stop_after_delay(60), ANY_ERROR).call(failing(10_000, TimeoutError("slow")))

    assert 60 <= clock.time - start <= 71


def test_the_back_off_has_jitter_and_a_ceiling() -> None:
    clock = Hurried()
    RetryPolicy(clock, stop_after_delay(10_000), ANY_ERROR).call(failing(60, TimeoutError()))

    assert max(clock.sleeps) <= 10
    assert len(set(clock.sleeps)) > 50


def test_a_policy_may_say_itself_how_long_to_wait() -> None:
    clock = Hurried()
    policy = RetryPolicy(clock, stop_after_delay(600), ANY_ERROR, lambda state: 5 + (state.seconds_since_start or 0))
    policy.call(failing(2, TimeoutError()))

    assert clock.sleeps == [5, 10]


def test_seconds_count_by_the_clock_of_the_policy_alone() -> None:
    """tenacity reads `time.monotonic` by itself: a clock that stands still must not let the time limit pass."""
    clock = Hurried()
    clock.sleep = clock.sleeps.append  # type: ignore[method-assign, assignment]
    policy = RetryPolicy(clock, stop_after_delay(1e-9), ANY_ERROR, wait_fixed(0))

    assert policy.call(failing(100, TimeoutError())) == "done"


def test_one_sort_of_error_may_be_given_up_sooner_than_the_others() -> None:
    clock = Hurried()
    retry = ANY_ERROR & retry_within(3, lambda error: isinstance(error, KeyError))
    policy = RetryPolicy(clock, stop_after_delay(60), retry, wait_fixed(1))

    with pytest.raises(KeyError):
        policy.call(failing(10_000, KeyError("x")))
    assert clock.sleeps == [1] * 4
    with pytest.raises(TimeoutError):
        policy.call(failing(10_000, TimeoutError()))
    assert sum(clock.sleeps) == 64


def test_a_policy_may_add_codes_to_what_is_transient() -> None:
    clock, busy = Hurried(), answered("OperationAborted")
    policy = RetryPolicy(clock, stop_after_delay(60), RETRY_TRANSIENT | retry_if_code({"OperationAborted"}))

    assert policy.call(failing(2, busy)) == "done"
    assert policy.call(failing(2, answered("Throttling"))) == "done"
    with pytest.raises(ClientError):
        policy.call(failing(2, answered("NoSuchBucket")))


def test_the_last_answer_counts_when_a_poll_is_given_up() -> None:
    answers = iter(["bad", "worse", "worst", "good"])
    policy = RetryPolicy(Hurried(), stop_after_attempt(3), wait=wait_fixed(2))

    assert policy.poll(lambda: next(answers), is_pending=lambda answer: answer != "good") == "worst"


def test_a_stop_ends_a_sleep_at_once() -> None:
    clock = Clock()
    threading.Timer(0.01, clock.stop).start()

    with pytest.raises(Stopped):
        polling(clock, 60, 600).poll(lambda: None)

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

    policy = RetryPolicy(clock, stop_after_delay(hidden + 60), wait=wait_while_hidden(hidden))
    found = policy.poll(lambda: True if clock.time - start >= at else None)

    late = clock.time - start - at
    assert found
    assert late <= max(0.06, 0.2 * at + 0.02)
    assert len(clock.sleeps) <= 50


def test_the_last_look_for_what_is_hidden_is_at_its_end() -> None:
    clock = Hurried()
    start = clock.time
    seen: list[float] = []

    policy = RetryPolicy(clock, stop_after_delay(60.0), wait=wait_while_hidden(60.0))
    policy.poll(lambda: seen.append(clock.time - start))

    assert any(59.99 < one < 60.01 for one in seen)
    assert len(seen) <= 50
