"""Signals that end a command: their exit codes, and the messages about what was changed by then."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from state.errors import ProvisionerError

NOTHING_CHANGED = "Nothing was changed."
_CHANGES_RECORDED = "Whatever was changed is recorded: the same command goes on."
# Set once a command is about to change something, in AWS or in a state.
_changing = threading.Event()


class Terminated(KeyboardInterrupt):
    """A SIGTERM, raised as Python raises KeyboardInterrupt for SIGINT, so that held locks are released."""


def end_at_once() -> None:
    """Let SIGINT and SIGTERM end a process that still imports its modules, and so has changed nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit_unchanged)


def _exit_unchanged(number: int, _frame: FrameType | None) -> None:
    """Say that nothing was changed, and end the process."""
    try:
        os.write(2, f"Error: Stopped.\n{NOTHING_CHANGED}\n".encode())
    finally:
        os._exit(128 + number)


def install_signal_handlers() -> None:
    """Let SIGINT and SIGTERM raise an exception in this command; a second SIGTERM ends the process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)


def begin_change() -> None:
    """Note that the command is about to change something: stopped from now on, it may have done so."""
    _changing.set()


def forget_changes() -> None:
    """Begin a new command in this process, which has changed nothing yet."""
    _changing.clear()


def exit_code(stop: BaseException | None) -> int:
    """Return the exit code of a command that `stop` ended: 128 plus the signal's number."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def stop_message(error: ProvisionerError | None = None) -> tuple[str, str]:
    """Return the message and the hint for a command that a signal stopped.

    `error` is the error of the run itself. It is only used if something may have been changed: otherwise
    there is nothing to go on with.
    """
    if not _changing.is_set():
        return "Stopped.", NOTHING_CHANGED
    return (error.message, error.hint) if error else ("Stopped.", _CHANGES_RECORDED)


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Raise Terminated, and let the next SIGTERM end the process at once."""
    signal.signal(number, lambda *_: os._exit(128 + number))
    raise Terminated
