"""Fits lines and tables into the width of a terminal; elsewhere they stay whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from typing import TextIO

_ELLIPSIS = "..."
_COLUMN_GAP = "  "
# A column is not made narrower than this.
_MIN_COLUMN_WIDTH = 12
_CONTINUATION_INDENT = 4
# The wrapping of the tool's own control sequences (`console.trusted_sequence`) takes no place on the screen.
_INVISIBLE = re.compile("\x00[^\x00]*\x00")
_WORDS = re.compile(r"\s*(?:`[^`]*`\S*|\S+)")
_LAST_COLUMN = re.compile(r".*\S {2,}(?=\S)")


def terminal_width(stream: TextIO | None) -> int | None:
    """Return the columns of the terminal that a stream writes to; None if it is no terminal, or was closed."""
    if stream is None or not stream.isatty():
        return None
    return shutil.get_terminal_size().columns


def visible_length(text: str) -> int:
    """Return the number of characters that a text shows."""
    return len(_INVISIBLE.sub("", text))


def shorten(text: str, width: int) -> str:
    """Return a text of at most `width` characters: of a longer one, the middle is left out."""
    if visible_length(text) <= width or _INVISIBLE.search(text):
        return text
    kept = max(width - len(_ELLIPSIS), 2)
    return f"{text[: kept - kept // 2]}{_ELLIPSIS}{text[-(kept // 2) :]}"


def fit_line(line: str, width: int | None) -> str:
    """Return a line broken between words so that no part is wider than `width`; None for no limit.

    What follows is indented to the last column of the line, or a little more than its beginning. A word that is
    wider by itself, such as an ARN, loses its middle. A command between backticks stays whole: people copy it.
    """
    if width is None or visible_length(line) <= width:
        return line
    indent = " " * _indent_of_rest(line, width)
    lines = [""]
    for word in _WORDS.findall(line):
        if lines[-1].strip() and visible_length(lines[-1] + word) > width:
            lines.append(indent)
            word = word.lstrip()  # noqa: PLW2901 - the gap before it is the line's end now
        room = max(width - visible_length(lines[-1]), _MIN_COLUMN_WIDTH)
        lines[-1] += word if "`" in word else shorten(word, room)
    return "\n".join(lines)


def _indent_of_rest(line: str, width: int) -> int:
    """Return how far the following parts of a broken line are indented."""
    last_column = _LAST_COLUMN.match(_INVISIBLE.sub("", line))
    if last_column and last_column.end() <= width // 2:
        return last_column.end()
    return len(line) - len(line.lstrip(" ")) + _CONTINUATION_INDENT


def table_lines(rows: Iterable[Sequence[str]], heading: Sequence[str], width: int | None = None) -> list[str]:
    """Return the rows as lines with aligned columns, without borders; the heading is the first line.

    If they are wider than `width`, the widest columns are made narrower, the last one first; None for no limit.
    """
    cells = [tuple(heading), *(tuple(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heading))]
    if width is not None:
        widths = _narrow_columns(widths, width - len(_COLUMN_GAP) * (len(widths) - 1))
    return [
        _COLUMN_GAP.join(shorten(cell, most).ljust(most) for cell, most in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _narrow_columns(widths: Sequence[int], room: int) -> list[int]:
    """Return column widths whose sum is at most `room`, if none has to be narrower than the least width for that."""
    fitted = list(widths)
    last = len(fitted) - 1
    fitted[last] = max(min(fitted[last], room - sum(fitted[:last])), min(fitted[last], _MIN_COLUMN_WIDTH))
    while sum(fitted) > room and max(fitted) > _MIN_COLUMN_WIDTH:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted
