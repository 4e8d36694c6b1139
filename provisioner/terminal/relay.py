"""A process in a terminal of its own, whose output passes through our hands.

Its terminal is ours where we have one; where we have none it has one all the same, as the Session Manager
plugin ends at once without.
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
_PAUSE = 0.2  # seconds between two looks whether it still lives
_END_OF_INPUT = b"\x04"


def relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    out: Callable[[bytes], None],
    takes_input: Callable[[], bool],
) -> int:
    """Run it to its end: hand on what it writes, and what is typed or piped to us once it takes input."""
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
    """What it has written; nothing once it has ended, which Linux tells as an error."""
    try:
        return os.read(ours, _CHUNK)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _fileno(stream: Any) -> int | None:
    try:
        return int(stream.fileno())
    except (OSError, AttributeError, ValueError):  # io.UnsupportedOperation is both of the first two's kind
        return None


@contextlib.contextmanager
def _raw(source: int | None) -> Iterator[None]:
    """Every key goes to the other side, Ctrl-C too; only what is written still ends its lines as usual."""
    if source is None or not os.isatty(source):
        yield
        return
    former = termios.tcgetattr(source)
    tty.setraw(source, termios.TCSADRAIN)  # what is typed already is kept
    mode = termios.tcgetattr(source)
    mode[1] = former[1]
    termios.tcsetattr(source, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, former)


@contextlib.contextmanager
def _fitted(its: int) -> Iterator[None]:
    """Its terminal is as large as ours, also when ours changes."""
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
