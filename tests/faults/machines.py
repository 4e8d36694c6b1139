"""Two machines before one AWS: their commands run at once under the clock that jumps, and calls take time."""

from __future__ import annotations

import contextlib
import copy
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from provisioner.engine.calls.clock import Clock
from tests.faults.world import World

# Seconds that a request or its answer is on its way, and how seldom it is many times that.
USUAL, SELDOM, SLOW = 0.1, 0.02, 20


def machine(world: World, home: Path, state: str = "") -> World:
    """Another user before the same AWS, with another home, who knows of no stack."""
    other = copy.copy(world)
    other.home, other.state = home, state
    return other


def at_once(first: tuple[World, str], second: tuple[World, str], offset: float, seed: int) -> list[int]:
    """How two commands end, of which the second begins so many seconds after the first."""
    dice = Random(seed)
    wire = first[0].wire

    def takes() -> float:
        return dice.uniform(0, USUAL) * (SLOW if dice.random() < SELDOM else 1)

    def later() -> int:
        Clock().sleep(offset)
        return second[0].run(second[1])

    wire.takes = takes
    try:
        # Each of the two puts its own in the place of the standard output, and ends when it likes.
        with contextlib.redirect_stdout(io.StringIO()), ThreadPoolExecutor(2) as pool:
            both = [pool.submit(first[0].run, first[1]), pool.submit(later)]
            return [one.result() for one in both]
    finally:
        wire.takes = None
