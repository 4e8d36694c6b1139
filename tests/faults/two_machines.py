"""Two machines that work on one account at once, on the simulated clock, with calls that take time."""

from __future__ import annotations

import contextlib
import copy
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from provisioner.engine.calls.clock import Clock
from tests.faults.world import World

# The seconds that a request or a reply takes at most, the share that is slower, and how many times slower.
USUAL_LATENCY, SLOW_SHARE, SLOW_FACTOR = 0.1, 0.02, 20


def other_machine(world: World, home: Path, state: str = "") -> World:
    """Return another user of the same account, with a home of their own that holds no state."""
    other = copy.copy(world)
    other.home, other.state = home, state
    return other


def run_both(first: tuple[World, str], second: tuple[World, str], offset: float, seed: int) -> list[int]:
    """Run two commands, the second `offset` seconds after the first; return their exit codes."""
    random = Random(seed)
    wire = first[0].wire

    def latency() -> float:
        return random.uniform(0, USUAL_LATENCY) * (SLOW_FACTOR if random.random() < SLOW_SHARE else 1)

    def run_second() -> int:
        Clock().sleep(offset)
        return second[0].run(second[1])

    wire.latency = latency
    try:
        # Each of the two redirects standard output while the other does: restore it after both.
        with contextlib.redirect_stdout(io.StringIO()), ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(first[0].run, first[1]), pool.submit(run_second)]
            return [future.result() for future in futures]
    finally:
        wire.latency = None
