"""The console: writes data to stdout and everything else to stderr, with colours.

Text of AWS and of containers can contain control sequences, so all that is printed passes `sanitize`. The tool's
own sequences (colours, the cursor moves of `--watch`) pass it: `trusted_sequence` wraps them with a number that is
drawn for each process, so that no other text can contain one.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TextIO

from provisioner.terminal.fitting import fit_line, terminal_width
from provisioner.terminal.tables import NOTHING_NARROWED, Narrowing, table_lines

_PROCESS_TOKEN = secrets.token_hex(8)
_TRUSTED = re.compile(rf"\x00{_PROCESS_TOKEN}:([^\x00]*)\x00")
# ECMA-48 and xterm's ctlseqs: strings (OSC, DCS, SOS, PM, APC) to their end, CSI, sequences of two
# characters, then each single control character; and the Unicode characters that change the direction of
# text or tag it (UAX 9, 3).
_CONTROL_STRINGS = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
_TWO_CHARACTERS = r"\x1b[ -/]*[0-~]"
_DIRECTION_MARKS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
_UNTRUSTED = (
    _CONTROL_STRINGS + "|" + _CSI + "|" + _TWO_CHARACTERS + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f" + _DIRECTION_MARKS + "]"
)
_ANY_SEQUENCE = re.compile(f"{_TRUSTED.pattern}|{_UNTRUSTED}")


def trusted_sequence(sequence: str) -> str:
    """Return a control sequence in the wrapping that `sanitize` recognises and lets through."""
    return f"\x00{_PROCESS_TOKEN}:{sequence}\x00"


def sanitize(text: str) -> str:
    """Return the text without control sequences other than the tool's own; line breaks and tabs stay."""
    return _ANY_SEQUENCE.sub(lambda match: match[1] or "", text)


def unwrap_trusted(text: str) -> str:
    """Return the text as it is, only with the tool's own sequences unwrapped."""
    return _TRUSTED.sub(lambda match: match[1], text)


FORMAT_VERSION = 1
# The type of the record of an error, which no query cuts.
_ERROR = "error"


class Query(Protocol):
    """A compiled JMESPath expression."""

    def search(self, value: Any) -> Any:
        """Return the part of a JSON value that the expression selects; None if there is none."""


# A line of text and the name of its colour; "" for no colour.
ColoredLine = tuple[str, str]
_COLOR_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}


_COLOR_ON, _COLOR_OFF = "\033[{}m", "\033[0m"


class Console:
    """The console of one command, in the format that its flags ask for."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        color: bool = True,
        quiet: bool = False,
        is_raw: bool = False,
        query: Query | None = None,
    ) -> None:
        self.as_json = as_json
        # The part of each record that is printed; None for all of it.
        self._query = query
        self.quiet = quiet
        # Whether output of containers is printed as it is. Everything else is always cleaned.
        self.is_raw = is_raw
        self.is_stdout_open = True
        self._lock = threading.Lock()
        self.color = color and not os.environ.get("NO_COLOR")

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the progress on a terminal."""
        return sys.stderr.isatty() and not self.as_json and os.environ.get("TERM") != "dumb"

    def paint(self, text: str, color: str, stream: TextIO | None = None) -> str:
        """Return the text in a colour, if the stream shows colours."""
        is_color_terminal = (stream or sys.stderr).isatty() and os.environ.get("TERM") != "dumb"
        is_painted = self.color and (is_color_terminal or bool(os.environ.get("FORCE_COLOR")))
        if not is_painted or not color:
            return text
        return f"{trusted_sequence(_COLOR_ON.format(_COLOR_CODES[color]))}{text}{trusted_sequence(_COLOR_OFF)}"

    def data(self, text: str) -> None:
        """Print a line of the command's output as it is, for programs and for copying."""
        self._write(sys.stdout, text)

    def text(self, text: str = "", color: str = "") -> None:
        """Print a line of the command's output for people, broken at the width of the terminal."""
        self._write(sys.stdout, self.paint(fit_line(text, terminal_width(sys.stdout)), color, sys.stdout))

    def item(self, text: str) -> None:
        """Print a line of a list for people: as `text`, but an id that is wider than the terminal loses its middle."""
        self._write(sys.stdout, fit_line(text, terminal_width(sys.stdout), shortens_ids=True))

    def table(
        self, rows: Iterable[Sequence[str]], heading: Sequence[str], narrowing: Narrowing = NOTHING_NARROWED
    ) -> None:
        """Print a table as wide as the terminal at most; `narrowing` says what gives way for that."""
        for line in table_lines(rows, heading, terminal_width(sys.stdout), narrowing):
            self.data(line)

    def container_line(self, text: str) -> None:
        """Print a line that a container wrote."""
        self._write(sys.stdout, text, clean=unwrap_trusted if self.is_raw else sanitize)

    def data_or_record(self, text: str, type_name: str, **fields: Any) -> None:
        """Print a line of the command's output; with --json, a record with the fields instead.

        Args:
            text: The line.
            type_name: The type of the record.
            **fields: The fields of the record.

        """
        if self.as_json:
            self.record(type_name, **fields)
        else:
            self.data(text)

    def record(self, type_name: str, **fields: Any) -> None:
        """Print a record of the command's output as one JSON line.

        Args:
            type_name: The type of the record.
            **fields: Its fields.

        """
        record = {"format_version": FORMAT_VERSION, "type": type_name, **fields}
        self._print_json(json.dumps(record, default=str), is_queried=type_name != _ERROR)

    def document(self, text: str) -> None:
        """Print a JSON document that has a format of its own, as it is; with --query, what that selects of it."""
        self._print_json(text, is_queried=True)

    def _print_json(self, text: str, *, is_queried: bool) -> None:
        """Print JSON, or the part of it that the query selects."""
        if self._query is not None and is_queried:
            try:
                text = json.dumps(self._query.search(json.loads(text)), indent=2)
            except ValueError as error:  # the base of jmespath's errors; it may not end a run that changes something
                self._report_failed_query(error)
                return
        # JSON escapes all control characters except DEL.
        self.data(text.replace("\x7f", "\\u007f"))

    def _report_failed_query(self, error: ValueError) -> None:
        """Say once that the query does not fit what the command prints; the exit code says so at the end."""
        sentence = f"--query does not fit this output: {' '.join(str(error).split())}."
        if sentence not in output_errors:
            output_errors.append(sentence)
            self.warn(sentence, "The command itself was carried out; `--json` shows what there is to choose from.")

    def note(self, text: str = "", color: str = "") -> None:
        """Print a line on stderr, unless the command is to be quiet."""
        if not self.quiet:
            self._write(sys.stderr, self.paint(fit_line(text, terminal_width(sys.stderr)), color))

    def ask(self, question: str) -> None:
        """Print a question on stderr, even if the command is to be quiet."""
        self._write(sys.stderr, self.paint(fit_line(question, terminal_width(sys.stderr)), "bold"))

    def error(self, message: str, hint: str, result: str = "error") -> None:
        """Print an error; with --json also as a record on stdout.

        Args:
            message: What went wrong.
            hint: What the user can do.
            result: The result in the record.

        """
        if self.as_json:
            self.record(_ERROR, result=result, message=message, hint=hint)
        self.warn(message, hint)

    def warn(self, message: str, hint: str) -> None:
        """Print an error on stderr only; the command may go on after it."""
        head, _, rest = message.partition("\n")
        lines = [self.paint("Error: ", "red") + head, *rest.splitlines(), *hint.splitlines()]
        self._write(sys.stderr, "\n".join(fit_line(line, terminal_width(sys.stderr)) for line in lines))

    def _write(self, stream: TextIO | None, text: str, clean: Callable[[str], str] = sanitize) -> None:
        """Write one whole line, from whichever thread.

        An error of the stream does not end the command, which may be in the middle of its work. If stdout
        cannot be written, that is printed on stderr and recorded in `output_errors`, unless its reader has only
        closed the pipe.
        """
        if stream is None:  # closed before the command began, as by `>&-`
            return
        with self._lock:
            error = _write_line(stream, clean(text))
            self.is_stdout_open = self.is_stdout_open and not (error and stream is sys.stdout)
        if error and stream is sys.stdout and not isinstance(error, BrokenPipeError):
            output_errors.append(f"stdout cannot be written: {error.strerror or error}.")
            self.warn(output_errors[-1], "The output is incomplete; the command itself was carried out.")


# Why the output of the command is incomplete though its work is done. The exit code depends on it.
output_errors: list[str] = []


def replace_unencodable() -> None:
    """Make stdout and stderr replace characters that they cannot encode; Python would raise an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None if it was closed before the command began
            stream.reconfigure(errors="replace")


def _write_line(stream: TextIO, text: str) -> OSError | None:
    """Write a line; return None, or the error, after which all output to the stream is discarded."""
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except OSError as error:
        _discard_output(stream)
        return error
    return None


def _discard_output(stream: TextIO) -> None:
    """Redirect a stream to /dev/null: the command goes on after its reader is gone, as with `| head`."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
