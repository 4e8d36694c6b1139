"""Lines that take the place of those before them, where there is a terminal; else one after the other."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from provisioner.terminal.clean import own
from provisioner.terminal.say import Say

Painted = tuple[str, str]
# ECMA-48: to the corner, all cleared; to the corner; the rest of a line, of the screen cleared.
_CLEAR, _HOME, _REST_OF_LINE, _REST = map(own, ("\033[H\033[2J", "\033[H", "\033[K", "\033[J"))


class Screen:
    """Shows one picture after the other."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._is_first = True
        self.in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, lines: Sequence[Painted]) -> None:
        """The next one; without a terminal an empty line stands between two."""
        painted = self._painted(lines if not self.in_place else cut(lines, *shutil.get_terminal_size()))
        if self.in_place:
            before = _CLEAR if self._is_first else _HOME
            self._say.data(before + "".join(f"{one}{_REST_OF_LINE}\n" for one in painted) + _REST)
        else:
            self._say.data("\n".join([*([] if self._is_first else [""]), *painted]))
        self._is_first = False

    def _painted(self, lines: Sequence[Painted]) -> list[str]:
        return [self._say.paint(text, color, sys.stdout) for text, color in lines]


def cut(lines: Sequence[Painted], width: int, height: int) -> list[Painted]:
    """What fits; the last line always does, and how many are left out is said before it."""
    room = max(height - 2, 2)
    shown = [(text[:width], color) for text, color in lines]
    if len(shown) <= room:
        return shown
    left_out = len(shown) - room + 1
    return [*shown[: room - 2], (f"... {left_out} lines more", "dim"), shown[-1]]
