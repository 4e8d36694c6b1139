"""Fits lines into the width of a terminal; elsewhere they stay whole."""

from __future__ import annotations

import re
import shutil
from typing import TextIO

_ELLIPSIS = "..."
# A word is not made shorter than this.
_MIN_WORD_WIDTH = 12
_CONTINUATION_INDENT = 4
# The wrapping of the tool's own control sequences (`console.trusted_sequence`) takes no place on the screen.
_INVISIBLE = re.compile("\x00[^\x00]*\x00")
# A word: also a command between backticks, which people copy, and a number with its unit or noun.
_WORDS = re.compile(r"\s*(?:`[^`]*`\S*|\(?\d[\d.,]* [a-zA-Z]\S*|\S+)")
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


def shorten_end(text: str, width: int) -> str:
    """Return a text of at most `width` characters: a longer one ends between two words, with an ellipsis.

    One without words, such as an ARN, loses its middle.
    """
    if len(text) <= width:
        return text
    words, _, _ = text[:width].rpartition(" ")
    return f"{words} …" if len(words) > width // 2 else shorten(text, width)


def fit_line(line: str, width: int | None, *, shortens_ids: bool = False) -> str:
    """Return a line broken between words so that no part is wider than `width`; None for no limit.

    What follows is indented to the last column of the line, or a little more than its beginning. A word that is
    wider by itself stays whole, as people copy it; with `shortens_ids` it loses its middle, unless it is a command
    between backticks.
    """
    if width is None or visible_length(line) <= width:
        return line
    indent = " " * _indent_of_rest(line, width)
    lines = [""]
    for word in _WORDS.findall(line):
        if lines[-1].strip() and visible_length(lines[-1] + word) > width:
            word = word.lstrip()  # noqa: PLW2901 - the gap before it is the line's end now
            lines.append(indent if shortens_ids else indent[: max(width - visible_length(word), 0)])
        room = max(width - visible_length(lines[-1]), _MIN_WORD_WIDTH)
        lines[-1] += shorten(word, room) if shortens_ids and "`" not in word else word
    return "\n".join(lines)


def _indent_of_rest(line: str, width: int) -> int:
    """Return how far the following parts of a broken line are indented."""
    last_column = _LAST_COLUMN.match(_INVISIBLE.sub("", line))
    if last_column and last_column.end() <= width // 2:
        return last_column.end()
    return len(line) - len(line.lstrip(" ")) + _CONTINUATION_INDENT
