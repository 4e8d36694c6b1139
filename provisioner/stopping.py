"""A signal that ends a command, and what is told of what was changed by then."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from provisioner.errors import ProvisionerError

NOTHING_CHANGED = "Nothing was changed."
_RECORDED = "Whatever was changed is recorded: the same command goes on."
# Set once a command is about to change something, in AWS or in a state.
_changing = threading.Event()


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised where SIGINT raises KeyboardInterrupt: what holds a lock gives it back."""


def listen() -> None:
    """Let SIGINT and SIGTERM unwind this command; a second SIGTERM ends the process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)


def begin_change() -> None:
    """Note that something is about to be changed: from now on a command that is stopped may have done so."""
    _changing.set()


def forget_changes() -> None:
    """Begin a new command in this process: it has changed nothing yet."""
    _changing.clear()


def exit_code(stop: BaseException | None) -> int:
    """Return what a command ends with that `stop` ended: 128 and the signal's number."""
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def stopped(error: ProvisionerError | None = None) -> tuple[str, str]:
    """Return what happened and what to do, for a command that a signal stopped.

    `error` is what the run itself says of it; where nothing was changed there is nothing to go on with.
    """
    if not _changing.is_set():
        return "Stopped.", NOTHING_CHANGED
    return (error.message, error.hint) if error else ("Stopped.", _RECORDED)


def _terminate(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, lambda *_: os._exit(128 + number))
    raise Terminated
