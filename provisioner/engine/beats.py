"""The beats in which requests go over from one thing to another, so that none of them finds nobody."""

from __future__ import annotations

from enum import IntEnum


class Beat(IntEnum):
    """Where a handover is; each beat begins when all of the one before it is ready."""

    # Who leads there knows the new one and sends it nothing; who serves there serves in both.
    JOIN = 0
    # Who leads there leads to the new one.
    MOVE = 1
    # Who measures it measures the new one.
    FOLLOW = 2
    # Who serves there serves in the new one alone.
    LEAVE = 3
    # Nobody knows the old one any more.
    DROP = 4
