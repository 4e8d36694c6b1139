"""The phases of a cutover, in which traffic moves from an old resource to a new one, with no request lost."""

from __future__ import annotations

from enum import IntEnum


class CutoverPhase(IntEnum):
    """A phase of a cutover; it begins when all resources have finished the phase before it."""

    # A listener or rule gives the new target group weight 0; the service registers its tasks in both groups.
    JOIN = 0
    # Listeners and rules forward to the new group.
    SHIFT = 1
    # Autoscaling measures the new group.
    FOLLOW = 2
    # The service registers its tasks in the new group alone.
    LEAVE = 3
    # Nothing refers to the old group any more.
    DROP = 4
