"""How signals end a run, and which error a run ends with."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from provisioner.aws.credentials import wait_for_sign_in_by
from provisioner.commands.sign_in import SignInWait, can_sign_in
from provisioner.engine.calls.clock import Clock
from provisioner.engine.execution.outcome import Outcome
from provisioner.errors import Interrupted
from provisioner.terminal.console import Console

_SIGNAL_BYTE = b"!"
# Seconds to wait until the message is written; after that, nobody reads it.
_MESSAGE_TIMEOUT = 1.0
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@contextmanager
def handle_signals(console: Console, clock: Clock) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM in the block ask the run to end; the second ends the process.

    A signal may come while this thread holds the lock of a stream or of the clock. So the handler only writes
    to a pipe, which needs no lock, and another thread reads it and takes the locks in its turn.

    Yields:
        A list that holds the number of the signal once one was caught.

    """
    caught_signals: list[int] = []
    read_end, write_end = os.pipe()

    def hear(number: int, _frame: FrameType | None) -> None:
        if caught_signals:
            os._exit(EXIT_CODES[signal.Signals(number)])
        caught_signals.append(number)
        os.write(write_end, _SIGNAL_BYTE)

    def stop() -> None:
        if os.read(read_end, 1) == _SIGNAL_BYTE:
            clock.stop()  # before the message: a terminal may be paused, or the pipe to it full
            console.note("Stopping: calls in flight finish and are recorded; once more to stop at once.")

    listener = threading.Thread(target=stop, daemon=True)
    listener.start()
    previous_handlers = {number: signal.signal(number, hear) for number in EXIT_CODES}
    sign_in_wait = wait_for_sign_in_by(SignInWait(console, clock)) if can_sign_in(console) else nullcontext()
    try:
        with sign_in_wait:
            yield caught_signals
    except Interrupted as error:  # raised between two resources, by code that does not know the signal
        if caught_signals:
            error.exit_code = EXIT_CODES[signal.Signals(caught_signals[0])]
        raise
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
        os.close(write_end)
        listener.join(_MESSAGE_TIMEOUT)
        os.close(read_end)


def raise_run_error(outcome: Outcome, caught_signals: list[int], shown_lines: Collection[str] = ()) -> None:
    """Raise the error that the run ended with, if there is one.

    Lines of its hint that are in `shown_lines` were shown before the run began, and are left out.
    """
    if caught_signals:
        outcome.interrupted = EXIT_CODES[signal.Signals(caught_signals[0])]
    if error := outcome.error():
        error.hint = "\n".join(line for line in error.hint.splitlines() if line not in shown_lines)
        raise error
