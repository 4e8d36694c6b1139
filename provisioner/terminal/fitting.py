"""Fits lines and tables into the width of a terminal; elsewhere they stay whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TextIO

_ELLIPSIS = "..."
_COLUMN_GAP = "  "
_NO_COLUMNS: Mapping[str, int] = MappingProxyType({})
# A word is not made shorter than this.
_MIN_WORD_WIDTH = 12
_CONTINUATION_INDENT = 4
# The wrapping of the tool's own control sequences (`console.trusted_sequence`) takes no place on the screen.
_INVISIBLE = re.compile("\x00[^\x00]*\x00")
# What people copy: a command between backticks, an ARN, an address.
_COPIED, _COMMAND = re.compile(r"`|arn:|://"), re.compile("`")
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


def fit_line(line: str, width: int | None, *, shortens_ids: bool = False) -> str:
    """Return a line broken between words so that no part is wider than `width`; None for no limit.

    What follows is indented to the last column of the line, or a little more than its beginning. A word that is
    wider by itself loses its middle, unless it is one that people copy: a command between backticks, and, without
    `shortens_ids`, an ARN or a URL.
    """
    if width is None or visible_length(line) <= width:
        return line
    indent, copied = " " * _indent_of_rest(line, width), _COMMAND if shortens_ids else _COPIED
    lines = [""]
    for word in _WORDS.findall(line):
        if lines[-1].strip() and visible_length(lines[-1] + word) > width:
            lines.append(indent)
            word = word.lstrip()  # noqa: PLW2901 - the gap before it is the line's end now
        room = max(width - visible_length(lines[-1]), _MIN_WORD_WIDTH)
        lines[-1] += word if copied.search(word) else shorten(word, room)
    return "\n".join(lines)


def _indent_of_rest(line: str, width: int) -> int:
    """Return how far the following parts of a broken line are indented."""
    last_column = _LAST_COLUMN.match(_INVISIBLE.sub("", line))
    if last_column and last_column.end() <= width // 2:
        return last_column.end()
    return len(line) - len(line.lstrip(" ")) + _CONTINUATION_INDENT


def table_lines(
    rows: Iterable[Sequence[str]],
    heading: Sequence[str],
    width: int | None = None,
    shortened: Mapping[str, int] = _NO_COLUMNS,
) -> list[str]:
    """Return the rows as lines with aligned columns, without borders; the heading comes first.

    Args:
        rows: The cells of each row.
        heading: The name of each column.
        width: The greatest width of a line; None for no limit.
        shortened: The columns whose cells may lose their middle, such as ids, each with its least width, in the order
            in which they give way. If that is not enough, each row is continued on further lines.

    """
    cells = [tuple(heading), *(tuple(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heading))]
    if width is None or _line_width(widths) <= width:
        return [_table_line(row, widths) for row in cells]
    fitted = _narrow_columns(widths, heading, width, shortened)
    if _line_width(fitted) <= width:
        return [_table_line(row, fitted) for row in cells]
    groups = _column_groups(widths, width)
    return [line for row in cells for line in _continued_lines(row, widths, groups, width)]


def _line_width(widths: Sequence[int]) -> int:
    """Return the width of a line with columns of these widths."""
    return sum(widths) + len(_COLUMN_GAP) * (len(widths) - 1)


def _table_line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return the cells of a row side by side, each shortened to the width of its column."""
    return _COLUMN_GAP.join(shorten(cell, most).ljust(most) for cell, most in zip(row, widths, strict=True)).rstrip()


def _narrow_columns(
    widths: Sequence[int], heading: Sequence[str], width: int, shortened: Mapping[str, int]
) -> list[int]:
    """Return column widths that fit into `width` together, or come as near to that as the least widths allow."""
    fitted = list(widths)
    for name, least in shortened.items():
        at = heading.index(name)
        excess = max(_line_width(fitted) - width, 0)
        fitted[at] = max(fitted[at] - excess, min(fitted[at], least))
    return fitted


def _column_groups(widths: Sequence[int], width: int) -> list[range]:
    """Return which columns are on the first line of a row, and which on each further line."""
    starts = [0]
    for at in range(1, len(widths)):
        indent = 0 if starts[-1] == 0 else _CONTINUATION_INDENT
        if indent + _line_width(widths[starts[-1] : at + 1]) > width:
            starts.append(at)
    return [range(start, end) for start, end in pairwise([*starts, len(widths)])]


def _continued_lines(row: Sequence[str], widths: Sequence[int], groups: Sequence[range], width: int) -> Iterator[str]:
    """Yield the lines of a row that is continued; one without a cell is left out."""
    for group in groups:
        indent = " " * (0 if group.start == 0 else _CONTINUATION_INDENT)
        line = _table_line([row[at] for at in group], [widths[at] for at in group])
        yield from fit_line(indent + line, width).split("\n") if line else ()
