"""The waits between two reads of something that AWS is working on, or that its reads may still miss."""

from __future__ import annotations

import random
from collections.abc import Callable

from tenacity import RetryCallState

# Returns the seconds until the next attempt, as tenacity's `wait_*` do.
Wait = Callable[[RetryCallState], float]

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


def wait_until_due(due: float) -> Wait:
    """Return the waits of a poll for something that usually takes `due` seconds.

    Long before the usual end the intervals double. Around it and after it they are so short that little time
    is lost.
    """
    return lambda state: jittered(poll_interval(state.seconds_since_start or 0.0, due))


def wait_while_hidden(hidden_seconds: float) -> Wait:
    """Return the waits of a poll for a resource that AWS's reads may miss for `hidden_seconds`.

    Most often they show it within the first of these, so the intervals grow from the start.
    """
    return lambda state: consistency_interval(state.seconds_since_start or 0.0, hidden_seconds)


def jittered(seconds: float) -> float:
    """Return slightly less than `seconds`, so that waits for the same resource do not read all at once."""
    return seconds * random.uniform(_JITTER, 1)  # noqa: S311 - no secret


def consistency_interval(elapsed: float, hidden_seconds: float) -> float:
    """Return the seconds until the next read of a resource that reads may miss for `hidden_seconds`.

    The last read comes at the end of that time.
    """
    step = max(_SHORTEST, jittered(_SEEKS_SHARE * elapsed))
    return max(min(step, hidden_seconds - elapsed), _LEAST_STEP) if elapsed < hidden_seconds else _LONGEST_STEP


def poll_interval(elapsed: float, due: float) -> float:
    """Return the seconds until the next read, after `elapsed` seconds of a wait that usually takes `due`."""
    early = 0.9 * due
    if elapsed < early:
        return max(min(max(elapsed, due * _FIRST_SHARE), early - elapsed), _SHORTEST)
    growing = _SHORTEST + 0.25 * (elapsed - early)
    return max(min(growing, _LONGEST_STEP), _LATE_SHARE * elapsed)
