"""The two streams and their colours: stdout is data, stderr is everything a person is told."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from provisioner.terminal.clean import clean, own, raw

FORMAT_VERSION = 1
_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}


_SGR, _PLAIN = "\033[{}m", "\033[0m"


class Say:
    """Writes for one command, in the form that its flags ask for."""

    def __init__(
        self, *, as_json: bool = False, color: bool = True, quiet: bool = False, is_raw: bool = False
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        # Whether bytes that containers wrote are let through as they are; all else is cleaned, always.
        self.is_raw = is_raw
        self.is_heard = True
        self._one_at_a_time = threading.Lock()
        self.color = color and not os.environ.get("NO_COLOR")

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the progress."""
        return sys.stderr.isatty() and not self.as_json and os.environ.get("TERM") != "dumb"

    def paint(self, text: str, color: str, stream: TextIO | None = None) -> str:
        """`text` in a colour where the stream shows colours."""
        has_colors = (stream or sys.stderr).isatty() and os.environ.get("TERM") != "dumb"
        shown = self.color and (has_colors or bool(os.environ.get("FORCE_COLOR")))
        return f"{own(_SGR.format(_CODES[color]))}{text}{own(_PLAIN)}" if shown and color else text

    def data(self, text: str) -> None:
        """A line of the answer."""
        self._write(sys.stdout, text)

    def written(self, text: str) -> None:
        """A line that a container wrote."""
        self._write(sys.stdout, text, clean=raw if self.is_raw else clean)

    def answer(self, text: str, kind: str, **fields: Any) -> None:
        """A line of the answer, in words or as JSON."""
        if self.as_json:
            self.record(kind, **fields)
        else:
            self.data(text)

    def record(self, kind: str, **fields: Any) -> None:
        """The answer as one JSON line."""
        head = {"format_version": FORMAT_VERSION, "type": kind}
        # JSON escapes what controls a terminal, but for one character.
        self.data(json.dumps({**head, **fields}, default=str).replace("\x7f", "\\u007f"))

    def note(self, text: str = "", color: str = "") -> None:
        """A line for a person."""
        if not self.quiet:
            self._write(sys.stderr, self.paint(text, color))

    def ask(self, question: str) -> None:
        """A question, shown however quiet the command is to be."""
        self._write(sys.stderr, self.paint(question, "bold"))

    def complain(self, message: str, hint: str, result: str = "error") -> None:
        """What went wrong, and what to type next; with --json the answer says so too."""
        if self.as_json:
            self.record("error", result=result, message=message, hint=hint)
        self.warn(message, hint)

    def warn(self, message: str, hint: str) -> None:
        """What is wrong, for a person: a command may go on after it."""
        head, _, rest = message.partition("\n")
        lines = [self.paint("Error: ", "red") + head, *rest.splitlines(), *hint.splitlines()]
        self._write(sys.stderr, "\n".join(lines))

    def _write(self, stream: TextIO | None, text: str, clean: Callable[[str], str] = clean) -> None:
        """One line whole, whichever thread it comes from; what nobody can be told stops no work."""
        if stream is None:  # it was closed before the command began, as by `>&-`
            return
        with self._one_at_a_time:
            lost = _written(stream, clean(text))
            self.is_heard = self.is_heard and not (lost and stream is sys.stdout)
        if lost and stream is sys.stdout and not isinstance(lost, BrokenPipeError):
            unsaid.append(f"stdout cannot be written: {lost.strerror or lost}.")
            self.warn(unsaid[-1], "The answer is not whole; what was to be done is done.")


# Why an answer is not whole, though the work is done: the exit code tells of it too.
unsaid: list[str] = []


def say_all() -> None:
    """Let a terminal that lacks a sign show another in its place, where Python would end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed before the command began
            stream.reconfigure(errors="replace")


def _written(stream: TextIO, text: str) -> OSError | None:
    """Why a line could not be written; from then on all that is said there goes nowhere."""
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError as error:
        _close(stream)
        return error
    return None


def _close(stream: TextIO) -> None:
    """Nobody reads any more, as behind `| head`: what is still to be said goes nowhere, the work goes on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def table(rows: Iterable[Sequence[str]], head: Sequence[str]) -> list[str]:
    """Rows in fixed columns, without lines around them; the last column is as long as it is."""
    listed = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[at]) for row in listed) for at in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in listed
    ]
