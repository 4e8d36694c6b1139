"""The repeated output of `--watch`: redrawn in place on a terminal, appended elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from provisioner.terminal.clean import own
from provisioner.terminal.console import Console

Painted = tuple[str, str]
# ECMA-48: move to the corner and clear the screen; move to the corner; clear the rest of the line; clear the
# rest of the screen.
_CLEAR, _HOME, _REST_OF_LINE, _REST = map(own, ("\033[H\033[2J", "\033[H", "\033[K", "\033[J"))


class Screen:
    """A printer of repeated output, which is redrawn in place on a terminal."""

    def __init__(self, console: Console) -> None:
        self._say = console
        self._is_first = True
        self.in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, lines: Sequence[Painted]) -> None:
        """Print the next output; without a terminal, an empty line separates it from the one before."""
        painted = self._painted(lines if not self.in_place else cut(lines, *shutil.get_terminal_size()))
        if self.in_place:
            before = _CLEAR if self._is_first else _HOME
            self._say.data(before + "".join(f"{one}{_REST_OF_LINE}\n" for one in painted) + _REST)
        else:
            self._say.data("\n".join([*([] if self._is_first else [""]), *painted]))
        self._is_first = False

    def _painted(self, lines: Sequence[Painted]) -> list[str]:
        """Return the lines with their colours."""
        return [self._say.paint(text, color, sys.stdout) for text, color in lines]


def cut(lines: Sequence[Painted], width: int, height: int) -> list[Painted]:
    """Return the lines that fit the terminal.

    If lines are left out, the last line is kept, and the line before it says how many are missing.
    """
    room = max(height - 2, 2)
    shown = [(text[:width], color) for text, color in lines]
    if len(shown) <= room:
        return shown
    left_out = len(shown) - room + 1
    return [*shown[: room - 2], (f"... {left_out} lines more", "dim"), shown[-1]]
