"""Waiting, by tenacity: for a call that may be sent again, and for a state that AWS is coming to."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result
from tenacity.wait import wait_random_exponential

from provisioner.engine.causes import is_nowhere
from provisioner.engine.clock import Clock
from provisioner.engine.faults import MOST_AFTER, retry_after
from provisioner.engine.hints import note_tries

T = TypeVar("T")

# A call that AWS throttled or lost is sent again after 0.1, 0.2, 0.4 ... 10 s, each with full jitter.
BACK_OFF = wait_random_exponential(multiplier=0.1, max=10)
# A wait ends within 2 % of its length, or half a second, of the change of state, its last read included.
_LATE_SHARE = 0.014
_SHORTEST, _LONGEST_STEP = 0.05, 0.3
# Of what is due in a minute nothing is expected in the first seconds.
_FIRST_SHARE = 1 / 16
# Looking for what AWS hides, each step is this share of what has passed: some thirty looks in a minute, and
# not two hundred of every thing that a killed run had in hand.
_SEEKS_SHARE = 0.2
# A step that is too short to move a clock would be taken for ever.
_LEAST_STEP = 0.01
# Who waits for the same thing does not ask at the same moment; never later than the step allows.
_JITTER = 0.9
# A host that nobody knows, as a FIPS endpoint where a service has none, is asked for no longer: a resolver
# that fails for a moment is over then (resolv.conf: 5 s a question).
NOWHERE = 3.0


def again(
    call: Callable[[], T],
    *,
    when: Callable[[BaseException], bool],
    clock: Clock,
    patience: float,
    told: Callable[[BaseException, float], None] = lambda _error, _pause: None,
    steps: Callable[[BaseException, float], float | None] = lambda _error, _elapsed: None,
) -> T:
    """Call until it answers; errors that `when` names are tried again for `patience` seconds.

    `steps(error, elapsed)` gives the seconds until the next try; where it gives None, an exponential
    back-off with jitter does. Where AWS names a moment itself, no try is made before it; for a host that does
    not exist no more are made after a few seconds.
    """
    start = clock.now()

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        step = steps(error, clock.now() - start) if error else None
        own = BACK_OFF(state) if step is None else step
        asked = retry_after(error) if error else None
        return own if asked is None else max(own, min(asked, own + MOST_AFTER))

    def passes(error: BaseException) -> bool:
        return when(error) and (clock.now() - start <= NOWHERE or not is_nowhere(error))

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error:
            told(error, state.upcoming_sleep)

    retrying = Retrying(
        retry=retry_if_exception(passes),
        wait=wait,
        stop=lambda _state: clock.now() - start > patience,
        sleep=clock.sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    try:
        return retrying(call)
    except Exception as error:
        note_tries(error, int(retrying.statistics.get("attempt_number", 1)), clock.now() - start)
        raise


def until(
    probe: Callable[[], T | None],
    *,
    clock: Clock,
    due: float,
    patience: float | Callable[[], float],
    since: float | None = None,
    hidden: float = 0.0,
) -> T | None:
    """Probe until it gives something; None when patience has run out.

    `due` is when the state usually changes, in seconds from `since`: long before it the steps double,
    around it and after it they are short enough that little time is lost. A patience that is called may grow
    with what the probe has seen. What AWS may hide for `hidden`
    seconds is mostly seen in the first of them: the steps grow from the beginning.
    """
    start = clock.now() if since is None else since

    def is_over(_state: RetryCallState) -> bool:
        return clock.now() - start > (patience() if callable(patience) else patience)

    def step(_state: RetryCallState) -> float:
        elapsed = clock.now() - start
        return seek(elapsed, hidden) if hidden else jittered(pause(elapsed, due))

    retrying = Retrying(
        retry=retry_if_result(lambda found: found is None),
        wait=step,
        stop=is_over,
        sleep=clock.sleep,
        retry_error_callback=lambda _state: None,
    )
    return retrying(probe)


def jittered(seconds: float) -> float:
    """A little less: who waits for the same thing does not ask at the same moment."""
    return seconds * random.uniform(_JITTER, 1)  # noqa: S311 - no secret


def seek(elapsed: float, hidden: float) -> float:
    """Seconds until the next look for what is hidden for so long at most, the last look at its end."""
    step = max(_SHORTEST, jittered(_SEEKS_SHARE * elapsed))
    return max(min(step, hidden - elapsed), _LEAST_STEP) if elapsed < hidden else _LONGEST_STEP


def pause(elapsed: float, due: float) -> float:
    """Seconds until the next look, `elapsed` seconds into a wait that is usually over after `due`."""
    early = 0.9 * due
    if elapsed < early:
        return max(min(max(elapsed, due * _FIRST_SHARE), early - elapsed), _SHORTEST)
    growing = _SHORTEST + 0.25 * (elapsed - early)
    return max(min(growing, _LONGEST_STEP), _LATE_SHARE * elapsed)
