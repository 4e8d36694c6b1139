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

_CHUNK_BYTES = 4096
_POLL_SECONDS = 0.2  # seconds between two checks whether the command still runs
_END_OF_INPUT = b"\x04"


def relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    write_output: Callable[[bytes], None],
    takes_input: Callable[[], bool],
) -> int:
    """Run a command to its end in a pseudo-terminal, and return its exit code.

    Args:
        argv: The command line.
        environment: The environment of the command.
        write_output: Receives the bytes that the command writes.
        takes_input: Returns whether the command takes input now; until then, no input is read.

    """
    master_fd, child_fd = pty.openpty()
    tty.setraw(child_fd)
    input_fd = _file_descriptor(sys.stdin)
    with _raw_mode(input_fd), _window_size_followed(child_fd):
        process = subprocess.Popen(  # noqa: S603 - found on PATH by name
            argv, stdin=child_fd, stdout=child_fd, stderr=child_fd, env=dict(environment), start_new_session=True
        )
        os.close(child_fd)
        try:
            _relay_until_end(process, master_fd, input_fd, write_output, takes_input)
        except BaseException:
            process.terminate()
            raise
        finally:
            os.close(master_fd)
    return process.wait()


def _relay_until_end(
    process: subprocess.Popen[bytes],
    master_fd: int,
    input_fd: int | None,
    write_output: Callable[[bytes], None],
    takes_input: Callable[[], bool],
) -> None:
    """Pass output and input on until the command ends.

    When the input has ended, the command gets an end-of-file character once.

    Args:
        process: The running command.
        master_fd: This side of the pseudo-terminal.
        input_fd: The file descriptor of the input; None if there is no input.
        write_output: Receives the bytes that the command writes.
        takes_input: Returns whether the command takes input now.

    """
    pending_input, has_input_ended = b"", False
    while True:
        # No further input is read before the command has taken what was read.
        reads_input = not pending_input and not has_input_ended and takes_input()
        if reads_input and input_fd is None:
            pending_input, has_input_ended = _END_OF_INPUT, True
        input_fds = [input_fd] if reads_input and input_fd is not None else []
        write_fds = [master_fd] if pending_input else []
        readable, writable, _ = select.select([master_fd, *input_fds], write_fds, [], _POLL_SECONDS)
        if input_fd is not None and input_fd in readable:
            input_bytes = os.read(input_fd, _CHUNK_BYTES)
            pending_input, has_input_ended = input_bytes or _END_OF_INPUT, not input_bytes
        if writable:
            pending_input = pending_input[os.write(master_fd, pending_input[:_CHUNK_BYTES]) :]
        if master_fd in readable:
            output = _read_output(master_fd)
            if not output:
                return
            write_output(output)
        elif process.poll() is not None:
            return


def _read_output(master_fd: int) -> bytes:
    """Return the next output of the command; empty if it has ended, which Linux reports as an error."""
    try:
        return os.read(master_fd, _CHUNK_BYTES)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _file_descriptor(stream: Any) -> int | None:
    """Return the file descriptor of a stream; None if it has none."""
    try:
        return int(stream.fileno())
    except (OSError, AttributeError, ValueError):  # io.UnsupportedOperation is an OSError and a ValueError
        return None


@contextlib.contextmanager
def _raw_mode(input_fd: int | None) -> Iterator[None]:
    """Put the user's terminal into raw mode within the context, so that every key reaches the command.

    This includes Ctrl-C. Output still gets its usual line ends.
    """
    if input_fd is None or not os.isatty(input_fd):
        yield
        return
    saved_mode = termios.tcgetattr(input_fd)
    tty.setraw(input_fd, termios.TCSADRAIN)  # keeps input that was typed before
    mode = termios.tcgetattr(input_fd)
    mode[1] = saved_mode[1]
    termios.tcsetattr(input_fd, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(input_fd, termios.TCSADRAIN, saved_mode)


@contextlib.contextmanager
def _window_size_followed(child_fd: int) -> Iterator[None]:
    """Give the pseudo-terminal the size of the user's terminal, and follow its changes within the context."""
    output_fd = _file_descriptor(sys.stdout)
    if output_fd is None or not os.isatty(output_fd):
        yield
        return
    terminal_fd = os.dup(child_fd)

    def fit(*_: Any) -> None:
        size = fcntl.ioctl(output_fd, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(terminal_fd, termios.TIOCSWINSZ, size)

    fit()
    previous_handler = signal.signal(signal.SIGWINCH, fit)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, previous_handler)
        os.close(terminal_fd)
