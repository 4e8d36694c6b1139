"""The canvas of a diagram: fitted text, boxes in rows, and arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

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


# The wide one fits a printed page of A4, and the narrow one a phone, with letters of 12 pixels or more.
WIDE = DiagramFormat("wide", 720, 13, 3)
NARROW = DiagramFormat("narrow", 340, 12, 2, has_stacked_zones=True)


@dataclass(frozen=True)
class Shape:
    """An SVG element: its tag and attributes, its text, its tooltip, and the shapes in it."""

    tag: str
    attributes: Mapping[str, object]
    text: str = ""
    tooltip: str = ""
    children: Sequence[Shape] = ()


@dataclass
class Canvas:
    """The shapes that were drawn, and the y coordinate down to which the canvas is used."""

    format: DiagramFormat
    y: float = 0.0
    background: list[Shape] = field(default_factory=list)
    foreground: list[Shape] = field(default_factory=list)
    # The statuses of all boxes that were drawn.
    statuses: set[str] = field(default_factory=set)

    def text(self, x: float, y: float, text: str, css_class: str = "", width: float = 0) -> None:
        """Draw a text that begins at this point; with a width, it is shortened to fit."""
        shown = self.format.shorten(text, width) if width else text
        self.foreground.append(Shape("text", {"class": css_class, "x": f"{x:g}", "y": f"{y:g}"}, shown))

    def rectangle(self, x: float, y: float, width: float, height: float, css_class: str, radius: int = 6) -> Shape:
        """Return a rectangle; the caller puts it in the background or the foreground."""
        size = {"width": f"{width:g}", "height": f"{height:g}", "rx": radius}
        return Shape("rect", {"class": css_class, "x": f"{x:g}", "y": f"{y:g}", **size})

    def arrow(self, *points: tuple[float, float]) -> None:
        """Draw a line through these points with an arrow head at its end."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        (from_x, _), (x, y) = points[-2:]
        tip = f"{x - 4:g},{y - 7:g} {x + 4:g},{y - 7:g}" if from_x == x else f"{x - 7:g},{y - 4:g} {x - 7:g},{y + 4:g}"
        self.foreground.append(Shape("path", {"class": "way", "d": path}))
        self.foreground.append(Shape("polygon", {"class": "tip", "points": f"{x:g},{y:g} {tip}"}))

    @contextmanager
    def group(self, status: str, tooltip: str = "") -> Iterator[None]:
        """Draw what follows as one group, in the colour of a status and with a tooltip."""
        outside, self.foreground = self.foreground, []
        yield
        outside.append(Shape("g", {"class": status}, tooltip=tooltip, children=self.foreground))
        self.foreground = outside


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
    with canvas.group(box.status, " · ".join(filter(None, (box.tooltip, *box.lines, box.status_text)))):
        if height:
            canvas.foreground.append(canvas.rectangle(x, y, width, height, "box"))
            canvas.foreground.append(canvas.rectangle(x, y, 4, height, "mark", 2))
        _draw_box_text(canvas, box, x, y, width)


def _draw_box_text(canvas: Canvas, box: Box, x: float, y: float, width: float) -> None:
    """Draw the title of a box, its lines, and its status word where it fits."""
    diagram_format, text_width = canvas.format, width - 17
    baseline = y + 4 + diagram_format.letter_size
    has_status_beside = bool(box.status_text) and _fits_beside_title(diagram_format, box, width)
    canvas.text(x + 11, baseline, box.title, "title", text_width)
    if has_status_beside:
        draw_status_text(canvas, box, x + width - 9, baseline)
    for line in _lines_below_title(diagram_format, box, width):
        baseline += diagram_format.line_height
        canvas.text(x + 11, baseline, line, "word" if line == box.status_text else "pale", text_width)


def draw_status_text(canvas: Canvas, box: Box, x: float, y: float) -> None:
    """Draw the status word of a box in the colour of its status; its right end is at this point."""
    attributes = {"class": f"word {box.status}", "x": f"{x:g}", "y": f"{y:g}", "text-anchor": "end"}
    canvas.foreground.append(Shape("text", attributes, box.status_text))
