"""How signals end a run, and which error a run ends with."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from provisioner.engine.calls.polling import Clock
from provisioner.engine.execution.outcome import Outcome
from provisioner.errors import Interrupted
from provisioner.sign_in_wait import waiting_by
from provisioner.terminal.console import Console
from provisioner.workflows.sign_in import SignInWait, can_sign_in

_CAUGHT = b"!"
# Seconds to wait until the message is written; after that, nobody reads it.
_TOLD_WITHIN = 1.0
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextmanager
def signals(console: Console, clock: Clock) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM in the block ask the run to end; the second ends the process.

    A signal may come while this thread holds the lock of a stream or of the clock. So the handler only writes
    to a pipe, which needs no lock, and another thread reads it and takes the locks in its turn.

    Yields:
        A list that holds the number of the signal once one was caught.

    """
    caught: list[int] = []
    out, into = os.pipe()

    def hear(number: int, _frame: FrameType | None) -> None:
        if caught:
            os._exit(EXIT_CODES[signal.Signals(number)])
        caught.append(number)
        os.write(into, _CAUGHT)

    def stop() -> None:
        if os.read(out, 1) == _CAUGHT:
            clock.stop()  # before the message: a terminal may be paused, or the pipe to it full
            console.note("Stopping: calls in flight finish and are recorded; once more to stop at once.")

    listener = threading.Thread(target=stop, daemon=True)
    listener.start()
    former = {number: signal.signal(number, hear) for number in EXIT_CODES}
    waits = waiting_by(SignInWait(console, clock)) if can_sign_in(console) else nullcontext()
    try:
        with waits:
            yield caught
    except Interrupted as error:  # raised between two resources, by code that does not know the signal
        if caught:
            error.exit_code = EXIT_CODES[signal.Signals(caught[0])]
        raise
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        os.close(into)
        listener.join(_TOLD_WITHIN)
        os.close(out)


def finish(outcome: Outcome, caught: list[int], told: Collection[str] = ()) -> None:
    """Raise the error that the run ended with, if there is one.

    Lines of its hint that are in `told` were shown before the run began, and are left out.
    """
    if caught:
        outcome.interrupted = EXIT_CODES[signal.Signals(caught[0])]
    if error := outcome.error():
        error.hint = "\n".join(line for line in error.hint.splitlines() if line not in told)
        raise error
