"""The retry policy: which outcomes of a call are tried again, until when, and with which waits.

Every call that leaves the process is repeated by a `RetryPolicy`, and by nothing else. A policy is put together from
tenacity's strategies (`stop_*`, `wait_*`, and `retry_*`, which `|` and `&` combine). What an error means is read from
one table (`error_categories.py`). Seconds are counted by the run's clock, which tests replace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_all, retry_if_exception, retry_if_result
from tenacity.wait import wait_random_exponential

from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_categories import (
    MAX_RETRY_AFTER_SECONDS,
    TRANSIENT,
    categorize,
    code_of,
    retry_after,
)
from provisioner.engine.calls.error_codes import is_nonexistent_host
from provisioner.engine.calls.hints import note_attempts
from provisioner.engine.calls.polling import Wait

log = logging.getLogger(__name__)

T = TypeVar("T")
# Decides on the state of a call, as tenacity's `retry_*` (is there another attempt?) and `stop_*` do.
Condition = Callable[[RetryCallState], bool]

# A throttled or lost call is retried after 0.1, 0.2, 0.4 ... 10 s, each with full jitter.
BACK_OFF = wait_random_exponential(multiplier=0.1, max=10)
# Seconds for which an unknown host name is retried, such as a FIPS endpoint that a service does not have. A
# resolver that fails for a moment works again by then (resolv.conf: 5 s a question).
UNKNOWN_HOST_SECONDS = 3.0


def is_transient(error: BaseException) -> bool:
    """Return whether time may cure an error: the call was throttled, could not be sent, or its answer was lost."""
    return categorize(error) in TRANSIENT


def retry_if_code(codes: Collection[str]) -> retry_if_exception:
    """Return the condition that AWS has refused a call by one of these error codes."""
    return retry_if_exception(lambda error: code_of(error) in codes)


def retry_within(seconds: float, is_hopeless: Callable[[BaseException], bool]) -> Condition:
    """Return a condition that holds for every error, but for a hopeless one only in the first `seconds` of the call."""

    def is_early_or_other(state: RetryCallState) -> bool:
        return elapsed_seconds(state) <= seconds or not is_hopeless(error_of(state))

    return is_early_or_other


RETRY_TRANSIENT = retry_if_exception(is_transient)
_RETRY_UNKNOWN_HOST_BRIEFLY = retry_within(UNKNOWN_HOST_SECONDS, is_nonexistent_host)


@dataclass(frozen=True)
class RetryPolicy:
    """How one call, or one question that is asked again and again, is repeated.

    Attributes:
        clock: The clock that waits are slept by and all seconds are counted by.
        stop: When to give up, such as `stop_after_delay(seconds)`.
        retry: Which errors of a call are retried; the transient ones if nothing else is said.
        wait: The seconds until the next attempt; an exponential back-off if nothing else is said.
        on_retry: Called before each retry of a call with its error and the seconds until the retry.

    """

    clock: Clock
    stop: Condition
    retry: Condition = RETRY_TRANSIENT
    wait: Wait = BACK_OFF
    on_retry: Callable[[BaseException, float], None] = lambda _error, _seconds: None

    def call(self, call: Callable[[], T]) -> T:
        """Make a call, retry it after each error that the policy retries, and return its answer.

        If AWS names a time for the next attempt, none is made before it. A host name that does not exist is
        retried for a few seconds only. When the policy gives up, the last error is raised, with the number of
        attempts for its hint.
        """
        retrying = _ClockedRetrying(
            self.clock,
            retry=retry_all(self.retry, _RETRY_UNKNOWN_HOST_BRIEFLY),
            wait=self._wait_as_aws_asks,
            stop=self.stop,
            before_sleep=self._report_retry,
            reraise=True,
        )
        try:
            return retrying(call)
        except Exception as error:
            note_attempts(error, int(retrying.statistics.get("attempt_number", 1)), retrying.seconds)
            raise

    def poll(self, probe: Callable[[], T], *, is_pending: Callable[[T], bool] = lambda answer: answer is None) -> T:
        """Ask `probe` until its answer is no longer pending or the policy gives up; return the last answer.

        Errors are raised at once, as `probe` makes its calls under policies of their own.
        """
        retrying = _ClockedRetrying(
            self.clock,
            retry=retry_if_result(is_pending),
            wait=self.wait,
            stop=self.stop,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        return retrying(probe)

    def _report_retry(self, state: RetryCallState) -> None:
        """Log a retry by the error's code or type, as its message may quote a value, and report it."""
        error = error_of(state)
        reason = code_of(error) or type(error).__name__
        log.debug("attempt %d: %s, retried in %.1f s", state.attempt_number, reason, state.upcoming_sleep)
        self.on_retry(error, state.upcoming_sleep)

    def _wait_as_aws_asks(self, state: RetryCallState) -> float:
        """Return the policy's own wait, or a longer one if AWS has named a time (`x-amz-retry-after`)."""
        own, asked = self.wait(state), retry_after(error_of(state))
        return own if asked is None else max(own, min(asked, own + MAX_RETRY_AFTER_SECONDS))


def error_of(state: RetryCallState) -> BaseException:
    """Return the error of a failed attempt."""
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        raise ValueError("the attempt has not failed")
    return error


def elapsed_seconds(state: RetryCallState) -> float:
    """Return the seconds from the start of the first attempt to the end of this one."""
    return state.seconds_since_start or 0.0


class _ClockedRetrying(Retrying):
    """tenacity's loop with seconds by another clock: tenacity 9.2.1 itself reads `time.monotonic`."""

    def __init__(self, clock: Clock, **strategies: Any) -> None:
        super().__init__(sleep=clock.sleep, **strategies)
        self._clock = clock
        self.seconds = 0.0

    def iter(self, retry_state: RetryCallState) -> Any:
        """Set the times of an attempt by the clock, then let tenacity decide what is next."""
        now = self._clock.now()
        if retry_state.outcome is not None:
            retry_state.outcome_timestamp = now
            self.seconds = now - retry_state.start_time
        elif retry_state.attempt_number == 1:
            retry_state.start_time = now
        return super().iter(retry_state)
