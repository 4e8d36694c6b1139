"""The clock, and waiting by it: for a call that may be sent again, and for a state that AWS is coming to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result
from tenacity.wait import wait_random_exponential

from provisioner.engine.calls.error_categories import MAX_RETRY_AFTER_SECONDS, retry_after
from provisioner.engine.calls.error_codes import is_known_host_missing
from provisioner.engine.calls.hints import note_attempts


class Stopped(Exception):
    """The request of a signal to end the run; raised out of a sleep, never out of a call."""


class Clock:
    """The real clock; `stop` wakes every sleeper."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def now(self) -> float:
        """Return the seconds of a clock that only goes forward."""
        return time.monotonic()

    def wall(self) -> float:
        """Return the seconds since 1970, as the state holds them."""
        return time.time()

    def moment(self) -> tuple[float, float]:
        """Return this moment by both clocks, for `since`."""
        return self.now(), self.wall()

    def since(self, moment: tuple[float, float]) -> float:
        """Return the seconds since a moment; the larger of two, as one clock stops in a machine's sleep."""
        return max(now - then for now, then in zip(self.moment(), moment, strict=True))

    def sleep(self, seconds: float) -> None:
        """Sleep for some seconds; raise Stopped when the run is asked to end."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Ask the run to end."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether the run was asked to end."""
        return self._stop.is_set()


T = TypeVar("T")

# A throttled or lost call is retried after 0.1, 0.2, 0.4 ... 10 s, each with full jitter.
BACK_OFF = wait_random_exponential(multiplier=0.1, max=10)
# Polling notices a change within 2 % of the time waited, or half a second, including the last read.
_LATE_SHARE = 0.014
_SHORTEST, _LONGEST_STEP = 0.05, 0.3
# The first step as a share of the usual time: what usually takes a minute is not ready in the first seconds.
_FIRST_SHARE = 1 / 16
# While looking for a resource that reads may miss, each step is this share of the time that has passed. That
# makes some thirty reads in a minute instead of two hundred, for each resource that a killed run worked on.
_SEEKS_SHARE = 0.2
# A step must not be too short to move a clock, else the loop would never end.
_LEAST_STEP = 0.01
# The least factor of the jitter, so that waits for the same resource do not all read at the same moment.
_JITTER = 0.9
# Seconds for which an unknown host name is retried, such as a FIPS endpoint that a service does not have. A
# resolver that fails for a moment works again by then (resolv.conf: 5 s a question).
UNKNOWN_HOST_SECONDS = 3.0


def retry(
    call: Callable[[], T],
    *,
    when: Callable[[BaseException], bool],
    clock: Clock,
    timeout: float,
    told: Callable[[BaseException, float], None] = lambda _error, _pause: None,
    steps: Callable[[BaseException, float], float | None] = lambda _error, _elapsed: None,
) -> T:
    """Call a function until it succeeds, retrying the errors for which `when` is true.

    If AWS names a time for the next try, no try is made before it. A host name that does not exist is retried
    for a few seconds only.

    Args:
        call: The function.
        when: Returns whether an error may be retried.
        clock: The clock to wait by.
        timeout: Seconds after which the last error is raised.
        told: Called before each retry with the error and the seconds until the retry.
        steps: Returns the seconds until the next try, given the error and the seconds since the start. For
            None, an exponential back-off with jitter is used.

    """
    start = clock.now()

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        step = steps(error, clock.now() - start) if error else None
        own = BACK_OFF(state) if step is None else step
        asked = retry_after(error) if error else None
        return own if asked is None else max(own, min(asked, own + MAX_RETRY_AFTER_SECONDS))

    def passes(error: BaseException) -> bool:
        return when(error) and (clock.now() - start <= UNKNOWN_HOST_SECONDS or not is_known_host_missing(error))

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error:
            told(error, state.upcoming_sleep)

    retrying = Retrying(
        retry=retry_if_exception(passes),
        wait=wait,
        stop=lambda _state: clock.now() - start > timeout,
        sleep=clock.sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    try:
        return retrying(call)
    except Exception as error:
        note_attempts(error, int(retrying.statistics.get("attempt_number", 1)), clock.now() - start)
        raise


def poll_until(
    probe: Callable[[], T | None],
    *,
    clock: Clock,
    due: float,
    timeout: float | Callable[[], float],
    since: float | None = None,
    hidden: float = 0.0,
) -> T | None:
    """Call `probe` until it returns something else than None; return None after the timeout.

    Long before the usual end the intervals double. Around it and after it they are so short that little time
    is lost.

    Args:
        probe: The function, which returns None as long as the condition does not hold.
        clock: The clock to wait by.
        due: The usual seconds from `since` until the condition holds.
        timeout: The timeout in seconds, or a function that returns it, as it may grow with what was read.
        since: The start of the wait by `clock`; now if None.
        hidden: Seconds for which AWS's reads may miss the resource. Most often they show it within the first
            of these, so the intervals grow from the start.

    """
    start = clock.now() if since is None else since

    def is_over(_state: RetryCallState) -> bool:
        return clock.now() - start > (timeout() if callable(timeout) else timeout)

    def step(_state: RetryCallState) -> float:
        elapsed = clock.now() - start
        return consistency_interval(elapsed, hidden) if hidden else jittered(poll_interval(elapsed, due))

    retrying = Retrying(
        retry=retry_if_result(lambda found: found is None),
        wait=step,
        stop=is_over,
        sleep=clock.sleep,
        retry_error_callback=lambda _state: None,
    )
    return retrying(probe)


def jittered(seconds: float) -> float:
    """Return slightly less than `seconds`, so that waits for the same resource do not read all at once."""
    return seconds * random.uniform(_JITTER, 1)  # noqa: S311 - no secret


def consistency_interval(elapsed: float, hidden: float) -> float:
    """Return the seconds until the next read of a resource that reads may miss for `hidden` seconds.

    The last read comes at the end of that time.
    """
    step = max(_SHORTEST, jittered(_SEEKS_SHARE * elapsed))
    return max(min(step, hidden - elapsed), _LEAST_STEP) if elapsed < hidden else _LONGEST_STEP


def poll_interval(elapsed: float, due: float) -> float:
    """Return the seconds until the next read, after `elapsed` seconds of a wait that usually takes `due`."""
    early = 0.9 * due
    if elapsed < early:
        return max(min(max(elapsed, due * _FIRST_SHARE), early - elapsed), _SHORTEST)
    growing = _SHORTEST + 0.25 * (elapsed - early)
    return max(min(growing, _LONGEST_STEP), _LATE_SHARE * elapsed)
