"""The canvas of a diagram: fitted text, boxes in rows, and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from provisioner.terminal.report.contents import Box

PAD, GAP = 12, 8
# The places of boxes: row, left edge and width of each. The spans of boxes: upper and lower edge of each.
Places = Sequence[tuple[int, float, float]]
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class DiagramFormat:
    """The format of a diagram: width, letter size, and the number of boxes in a row."""

    name: str
    width: int
    letter_size: float
    boxes_per_row: int
    # Whether the zones are below one another, each with its subnets side by side.
    has_stacked_zones: bool = False

    @property
    def line_height(self) -> float:
        """The height of a line of text."""
        return self.letter_size * 1.35

    def shorten(self, text: str, width: float) -> str:
        """Return the text, shortened to the width; letters are 0.56 of their height wide on average."""
        max_letters = int(width / (self.letter_size * 0.56))
        return text if len(text) <= max_letters else f"{text[: max(max_letters - 1, 1)]}…"


WIDE = DiagramFormat("wide", 960, 12.5, 4)
NARROW = DiagramFormat("narrow", 340, 11, 2, has_stacked_zones=True)


@dataclass
class Canvas:
    """The SVG elements that were drawn, and the y coordinate down to which the canvas is used."""

    format: DiagramFormat
    y: float = 0.0
    background: list[str] = field(default_factory=list)
    foreground: list[str] = field(default_factory=list)
    # The statuses of all boxes that were drawn.
    statuses: set[str] = field(default_factory=set)

    def text(self, x: float, y: float, text: str, css_class: str = "", width: float = 0) -> None:
        """Draw a text that begins at this point; with a width, it is shortened to fit."""
        shown = self.format.shorten(text, width) if width else text
        size = "" if css_class == "head" else f' font-size="{self.format.letter_size}"'
        self.foreground.append(f'<text class="{css_class}" x="{x:g}" y="{y:g}"{size}>{escape(shown)}</text>')

    def rectangle(self, x: float, y: float, width: float, height: float, css_class: str) -> str:
        """Return a rectangle; the caller puts it in the background or the foreground."""
        return f'<rect class="{css_class}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'

    def arrow(self, *points: tuple[float, float]) -> None:
        """Draw a line through these points with an arrow head at its end."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        (from_x, _), (x, y) = points[-2:]
        tip = f"{x - 4:g},{y - 7:g} {x + 4:g},{y - 7:g}" if from_x == x else f"{x - 7:g},{y - 4:g} {x - 7:g},{y + 4:g}"
        self.foreground.append(f'<path class="way" d="{path}"/><polygon class="tip" points="{x:g},{y:g} {tip}"/>')


def place_in_rows(count: int, x: float, width: float, boxes_per_row: int) -> Places:
    """Return the place of each box in evenly filled rows.

    Args:
        count: The number of boxes.
        x: The left edge of the rows.
        width: The width of the rows.
        boxes_per_row: The greatest number of boxes in a row.

    """
    rows = -(-count // boxes_per_row)
    row_length = -(-count // rows) if rows else 1
    places = []
    for index in range(count):
        row, column = divmod(index, row_length)
        boxes_in_row = min(row_length, count - row * row_length)
        box_width = (width - (boxes_in_row - 1) * GAP) / boxes_in_row
        places.append((row, x + column * (box_width + GAP), box_width))
    return places


def draw_boxes(canvas: Canvas, boxes: Sequence[Box], places: Places) -> float:
    """Draw boxes at their places, and return the y coordinate of the lower edge of the last row."""
    y = canvas.y
    for row in range(places[-1][0] + 1):
        row_boxes = [(box, x, width) for box, (box_row, x, width) in zip(boxes, places, strict=True) if box_row == row]
        row_height = max(height_of(canvas.format, box, width) for box, _, width in row_boxes)
        for box, x, width in row_boxes:
            draw_box(canvas, box, x, y, width, row_height)
        y += row_height + GAP
    return y - GAP


def _lines_below_title(diagram_format: DiagramFormat, box: Box, width: float) -> list[str]:
    """Return the lines below the title, with the status word if it does not fit beside the title."""
    return [
        *box.lines,
        *([box.status_text] if box.status_text and not _fits_beside_title(diagram_format, box, width) else []),
    ]


def _fits_beside_title(diagram_format: DiagramFormat, box: Box, width: float) -> bool:
    """Return whether the status word fits beside the title."""
    return len(box.title) + len(box.status_text) + 3 < (width - 24) / (diagram_format.letter_size * 0.58)


def height_of(diagram_format: DiagramFormat, box: Box, width: float) -> float:
    """Return the height that a box of this width needs."""
    return 12 + diagram_format.line_height * (1 + len(_lines_below_title(diagram_format, box, width)))


def draw_box(canvas: Canvas, box: Box, x: float, y: float, width: float, height: float) -> None:
    """Draw a box with its title, its lines and its status word; with height 0, only the text."""
    canvas.statuses.add(box.status)
    diagram_format = canvas.format
    tooltip = " · ".join(filter(None, (box.tooltip, *box.lines, box.status_text)))
    canvas.foreground.append(f'<g class="{box.status}"><title>{escape(tooltip)}</title>')
    if height:
        canvas.foreground.append(canvas.rectangle(x, y, width, height, "box"))
        canvas.foreground.append(f'<rect class="mark" x="{x:g}" y="{y:g}" width="4" height="{height:g}" rx="2"/>')
    text_width, baseline = width - 17, y + 4 + diagram_format.letter_size
    canvas.text(x + 11, baseline, box.title, "title", text_width)
    if box.status_text and _fits_beside_title(diagram_format, box, width):
        canvas.foreground.append(status_text_at(canvas, box, x + width - 9, baseline))
    for line in _lines_below_title(diagram_format, box, width):
        baseline += diagram_format.line_height
        canvas.text(x + 11, baseline, line, "word" if line == box.status_text else "pale", text_width)
    canvas.foreground.append("</g>")


def status_text_at(canvas: Canvas, box: Box, x: float, y: float) -> str:
    """Return the status word of a box in the colour of its status; its right end is at this point."""
    size = f'font-size="{canvas.format.letter_size}" text-anchor="end"'
    return f'<text class="word {box.status}" x="{x:g}" y="{y:g}" {size}>{escape(box.status_text)}</text>'
