"""The canvas of a diagram: fitted text, boxes in rows, and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from provisioner.terminal.report.model import Box

PAD, GAP = 12, 8
# The places of boxes: row, left edge and width of each. The spans of boxes: upper and lower edge of each.
Places = Sequence[tuple[int, float, float]]
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Format:
    """The format of a diagram: width, letter size, and the number of boxes in a row."""

    name: str
    width: int
    letters: float
    in_a_row: int
    # Whether the zones are below one another, each with its subnets side by side.
    stacked: bool = False

    @property
    def line(self) -> float:
        """The height of a line of text."""
        return self.letters * 1.35

    def fitted(self, text: str, width: float) -> str:
        """Return the text, shortened to the width; letters are 0.56 of their height wide on average."""
        most = int(width / (self.letters * 0.56))
        return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"


WIDE = Format("wide", 960, 12.5, 4)
NARROW = Format("narrow", 340, 11, 2, stacked=True)


@dataclass
class Canvas:
    """The SVG elements that were drawn, and the y coordinate down to which the canvas is used."""

    form: Format
    y: float = 0.0
    back: list[str] = field(default_factory=list)
    front: list[str] = field(default_factory=list)
    # The statuses of all boxes that were drawn.
    states: set[str] = field(default_factory=set)

    def text(self, x: float, y: float, words: str, sort: str = "", width: float = 0) -> None:
        """Draw a text that begins at this point; with a width, it is shortened to fit."""
        told = self.form.fitted(words, width) if width else words
        size = "" if sort == "head" else f' font-size="{self.form.letters}"'
        self.front.append(f'<text class="{sort}" x="{x:g}" y="{y:g}"{size}>{escape(told)}</text>')

    def frame(self, x: float, y: float, width: float, height: float, sort: str) -> str:
        """Return a rectangle; the caller puts it in the background or the foreground."""
        return f'<rect class="{sort}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'

    def way(self, *points: tuple[float, float]) -> None:
        """Draw a line through these points with an arrow head at its end."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        (from_x, _), (x, y) = points[-2:]
        tip = f"{x - 4:g},{y - 7:g} {x + 4:g},{y - 7:g}" if from_x == x else f"{x - 7:g},{y - 4:g} {x - 7:g},{y + 4:g}"
        self.front.append(f'<path class="way" d="{path}"/><polygon class="tip" points="{x:g},{y:g} {tip}"/>')


def grid(count: int, x: float, width: float, in_a_row: int) -> Places:
    """Return the place of each box in evenly filled rows.

    Args:
        count: The number of boxes.
        x: The left edge of the rows.
        width: The width of the rows.
        in_a_row: The greatest number of boxes in a row.

    """
    rows = -(-count // in_a_row)
    each = -(-count // rows) if rows else 1
    places = []
    for at in range(count):
        row, column = divmod(at, each)
        here = min(each, count - row * each)
        wide = (width - (here - 1) * GAP) / here
        places.append((row, x + column * (wide + GAP), wide))
    return places


def boxes_in(canvas: Canvas, boxes: Sequence[Box], places: Places) -> float:
    """Draw boxes at their places, and return the y coordinate of the lower edge of the last row."""
    y = canvas.y
    for row in range(places[-1][0] + 1):
        here = [(box, x, width) for box, (at, x, width) in zip(boxes, places, strict=True) if at == row]
        tall = max(height_of(canvas.form, box, width) for box, _, width in here)
        for box, x, width in here:
            draw_box(canvas, box, x, y, width, tall)
        y += tall + GAP
    return y - GAP


def _lines(form: Format, box: Box, width: float) -> list[str]:
    """Return the lines below the title, with the status word if it does not fit beside the title."""
    return [*box.lines, *([box.word] if box.word and not _is_beside(form, box, width) else [])]


def _is_beside(form: Format, box: Box, width: float) -> bool:
    """Return whether the status word fits beside the title."""
    return len(box.title) + len(box.word) + 3 < (width - 24) / (form.letters * 0.58)


def height_of(form: Format, box: Box, width: float) -> float:
    """Return the height that a box of this width needs."""
    return 12 + form.line * (1 + len(_lines(form, box, width)))


def draw_box(canvas: Canvas, box: Box, x: float, y: float, width: float, height: float) -> None:
    """Draw a box with its title, its lines and its status word; with height 0, only the text."""
    canvas.states.add(box.state)
    form = canvas.form
    about = " · ".join(filter(None, (box.about, *box.lines, box.word)))
    canvas.front.append(f'<g class="{box.state}"><title>{escape(about)}</title>')
    if height:
        canvas.front.append(canvas.frame(x, y, width, height, "box"))
        canvas.front.append(f'<rect class="mark" x="{x:g}" y="{y:g}" width="4" height="{height:g}" rx="2"/>')
    room, at = width - 17, y + 4 + form.letters
    canvas.text(x + 11, at, box.title, "title", room)
    if box.word and _is_beside(form, box, width):
        canvas.front.append(word_at(canvas, box, x + width - 9, at))
    for line in _lines(form, box, width):
        at += form.line
        canvas.text(x + 11, at, line, "word" if line == box.word else "pale", room)
    canvas.front.append("</g>")


def word_at(canvas: Canvas, box: Box, x: float, y: float) -> str:
    """Return the status word of a box in the colour of its status; its right end is at this point."""
    size = f'font-size="{canvas.form.letters}" text-anchor="end"'
    return f'<text class="word {box.state}" x="{x:g}" y="{y:g}" {size}>{escape(box.word)}</text>'
