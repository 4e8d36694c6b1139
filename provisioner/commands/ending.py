"""How a run is asked to end, and what it ends with."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from provisioner.engine.clock import Clock
from provisioner.engine.outcome import Outcome
from provisioner.errors import Interrupted
from provisioner.terminal.say import Say

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextmanager
def signals(say: Say, clock: Clock) -> Iterator[list[int]]:
    """Inside, the first SIGINT or SIGTERM asks the run to end softly; the second ends the process."""
    caught: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        if caught:
            os._exit(EXIT_CODES[signal.Signals(number)])
        caught.append(number)
        say.note("Stopping: calls in flight finish and are recorded; once more to stop at once.")
        clock.stop()

    former = {number: signal.signal(number, hear) for number in EXIT_CODES}
    try:
        yield caught
    except Interrupted as error:  # raised where no node was at work, by one that does not know the signal
        if caught:
            error.exit_code = EXIT_CODES[signal.Signals(caught[0])]
        raise
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def finish(outcome: Outcome, caught: list[int]) -> None:
    """Raise what the run ended with."""
    if caught:
        outcome.interrupted = EXIT_CODES[signal.Signals(caught[0])]
    if error := outcome.error():
        raise error
