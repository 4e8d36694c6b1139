"""A child process in a pseudo-terminal, with its input and output passed through this process.

The pseudo-terminal has the size of the user's terminal, if there is one. The child gets one in any case,
because the Session Manager plugin ends at once without a terminal.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_CHUNK = 4096
_PAUSE = 0.2  # seconds between two checks whether the command still runs
_END_OF_INPUT = b"\x04"


def relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    out: Callable[[bytes], None],
    takes_input: Callable[[], bool],
) -> int:
    """Run a command to its end in a pseudo-terminal, and return its exit code.

    Args:
        argv: The command line.
        environment: The environment of the command.
        out: Receives the bytes that the command writes.
        takes_input: Returns whether the command takes input now; until then, no input is read.

    """
    ours, its = pty.openpty()
    tty.setraw(its)
    source = _fileno(sys.stdin)
    with _raw(source), _fitted(its):
        process = subprocess.Popen(  # noqa: S603 - found on PATH by name
            argv, stdin=its, stdout=its, stderr=its, env=dict(environment), start_new_session=True
        )
        os.close(its)
        try:
            _pass_on(process, ours, source, out, takes_input)
        except BaseException:
            process.terminate()
            raise
        finally:
            os.close(ours)
    return process.wait()


def _pass_on(
    process: subprocess.Popen[bytes],
    ours: int,
    source: int | None,
    out: Callable[[bytes], None],
    takes_input: Callable[[], bool],
) -> None:
    """Pass output and input on until the command ends.

    When the input has ended, the command gets an end-of-file character once.

    Args:
        process: The running command.
        ours: This side of the pseudo-terminal.
        source: The file descriptor of the input; None if there is no input.
        out: Receives the bytes that the command writes.
        takes_input: Returns whether the command takes input now.

    """
    waiting, ended = b"", False
    while True:
        asks = takes_input() and not ended
        if asks and source is None:
            waiting, ended, asks = waiting + _END_OF_INPUT, True, False
        sources = [ours, source] if asks and not waiting and source is not None else [ours]
        readable, writable, _ = select.select(sources, [ours] if waiting else [], [], _PAUSE)
        if source in readable and source is not None:
            typed = os.read(source, _CHUNK)
            waiting, ended = (typed, False) if typed else (_END_OF_INPUT, True)
        if writable:
            waiting = waiting[os.write(ours, waiting[:_CHUNK]) :]
        if ours in readable:
            told = _told(ours)
            if not told:
                return
            out(told)
        elif process.poll() is not None:
            return


def _told(ours: int) -> bytes:
    """Return the next output of the command; empty if it has ended, which Linux reports as an error."""
    try:
        return os.read(ours, _CHUNK)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _fileno(stream: Any) -> int | None:
    """Return the file descriptor of a stream; None if it has none."""
    try:
        return int(stream.fileno())
    except (OSError, AttributeError, ValueError):  # io.UnsupportedOperation is an OSError and a ValueError
        return None


@contextlib.contextmanager
def _raw(source: int | None) -> Iterator[None]:
    """Put the user's terminal into raw mode within the context, so that every key reaches the command.

    This includes Ctrl-C. Output still gets its usual line ends.
    """
    if source is None or not os.isatty(source):
        yield
        return
    former = termios.tcgetattr(source)
    tty.setraw(source, termios.TCSADRAIN)  # keeps input that was typed before
    mode = termios.tcgetattr(source)
    mode[1] = former[1]
    termios.tcsetattr(source, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, former)


@contextlib.contextmanager
def _fitted(its: int) -> Iterator[None]:
    """Give the pseudo-terminal the size of the user's terminal, and follow its changes within the context."""
    shown = _fileno(sys.stdout)
    if shown is None or not os.isatty(shown):
        yield
        return
    kept = os.dup(its)

    def fit(*_: Any) -> None:
        size = fcntl.ioctl(shown, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(kept, termios.TIOCSWINSZ, size)

    fit()
    former = signal.signal(signal.SIGWINCH, fit)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, former)
        os.close(kept)
