"""The repeated output of `--watch`: redrawn in place on a terminal, appended elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from provisioner.terminal.console import ColoredLine, Console, trusted_sequence
from provisioner.terminal.fitting import fit_line

# ECMA-48: move to the corner and clear the screen; move to the corner; clear the rest of the line; clear the
# rest of the screen.
_CLEAR_SCREEN, _CURSOR_HOME, _CLEAR_LINE_REST, _CLEAR_SCREEN_REST = map(
    trusted_sequence, ("\033[H\033[2J", "\033[H", "\033[K", "\033[J")
)


class Screen:
    """A printer of repeated output, which is redrawn in place on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_first = True
        self.in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, lines: Sequence[ColoredLine]) -> None:
        """Print the next output; without a terminal, an empty line separates it from the one before."""
        if self.in_place:
            fitted = fit_to_terminal(lines, *shutil.get_terminal_size())
            start = _CLEAR_SCREEN if self._is_first else _CURSOR_HOME
            text = "".join(f"{line}{_CLEAR_LINE_REST}\n" for line in self._paint(fitted))
            self._console.data(start + text + _CLEAR_SCREEN_REST)
        else:
            separator = [] if self._is_first else [""]
            self._console.data("\n".join([*separator, *self._paint(lines)]))
        self._is_first = False

    def _paint(self, lines: Sequence[ColoredLine]) -> list[str]:
        """Return the lines with their colours."""
        return [self._console.paint(text, color, sys.stdout) for text, color in lines]


def fit_to_terminal(lines: Sequence[ColoredLine], width: int, height: int) -> list[ColoredLine]:
    """Return the lines broken at the width of the terminal, as many as fit; the last one says how many do not."""
    max_lines = max(height - 2, 2)
    fitted = [(part, color) for text, color in lines for part in fit_line(text, width, shortens_ids=True).split("\n")]
    if len(fitted) <= max_lines:
        return fitted
    shown = fitted[: max_lines - 1]
    return [*shown, (f"... {len(fitted) - len(shown)} lines more", "dim")]
