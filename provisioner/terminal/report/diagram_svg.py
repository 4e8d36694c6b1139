"""The diagram of the stack's resources, for a wide screen and for a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provisioner.terminal.page_templates import render
from provisioner.terminal.report.canvas import (
    GAP,
    PAD,
    WIDE,
    Canvas,
    DiagramFormat,
    Places,
    Shape,
    Spans,
    draw_box,
    draw_boxes,
    draw_status_text,
    height_of,
    place_in_rows,
)
from provisioner.terminal.report.contents import Box, Diagram, Subnet

_RAIL_WIDTH, _ARROW_HEIGHT = 14, 22
_LEGEND = {
    "good": "as declared",
    "busy": "at work",
    "changed": "changed by hand",
    "bad": "missing or failed",
    "unknown": "not asked",
}


@dataclass(frozen=True)
class Picture:
    """A drawn diagram: its format, its height, and its shapes, of which the later lie over the earlier.

    One that stands alone, and not in a page, has a title and a size.
    """

    title: str
    format: DiagramFormat
    height: str
    shapes: Sequence[Shape]
    is_standalone: bool


def as_svg(diagram: Diagram, diagram_format: DiagramFormat = WIDE) -> str:
    """Return the diagram as an SVG file in this format."""
    return render("diagram.svg", picture=draw_diagram(diagram, diagram_format, is_standalone=True))


def draw_diagram(diagram: Diagram, diagram_format: DiagramFormat, *, is_standalone: bool = False) -> Picture:
    """Return the diagram as a picture in this format."""
    canvas = Canvas(diagram_format, 30 if is_standalone else 4)
    if is_standalone:
        canvas.text(PAD, 20, diagram.title, "head", diagram_format.width * 0.7)
    entry = _draw_edge(canvas, diagram)
    _draw_region(canvas, diagram, entry)
    _draw_legend(canvas, diagram.undrawn_count)
    shapes = [*canvas.background, *canvas.foreground]
    return Picture(diagram.title, diagram_format, f"{canvas.y:g}", shapes, is_standalone)


def _draw_edge(canvas: Canvas, diagram: Diagram) -> tuple[float, float, float] | None:
    """Draw the viewers and the resources in front of the region.

    Returns:
        The left, right and lower edge of the last box, from which requests enter the region; None if there
        are no boxes.

    """
    if not diagram.edge:
        return None
    places = place_in_rows(len(diagram.edge), PAD, canvas.format.width - 2 * PAD, canvas.format.boxes_per_row)
    x, width = places[-1][1:]
    middle = x + width / 2
    canvas.text(middle - 3.6 * canvas.format.letter_size * 0.56, canvas.y + 14, "Viewers", "title")
    canvas.arrow((middle, canvas.y + 18), (middle, canvas.y + 34))
    canvas.y += 34
    bottom = draw_boxes(canvas, diagram.edge, places)
    canvas.y = bottom + _ARROW_HEIGHT
    return x, x + width, bottom


def _draw_region(canvas: Canvas, diagram: Diagram, entry: tuple[float, float, float] | None) -> None:
    """Draw the region: the network, and the resources beside it.

    Args:
        canvas: The canvas.
        diagram: The resources by place.
        entry: The left, right and lower edge of the box from which requests enter.

    """
    top, frame_index = canvas.y, len(canvas.background)
    canvas.text(PAD * 1.5, top + 17, f"Region {diagram.region}", "pale")
    canvas.y += 26
    if diagram.network:
        _draw_network(canvas, diagram, diagram.network, entry)
        canvas.y += GAP
    if diagram.outside_network:
        places = place_in_rows(
            len(diagram.outside_network), PAD * 1.5, canvas.format.width - 3 * PAD, canvas.format.boxes_per_row
        )
        canvas.y = draw_boxes(canvas, diagram.outside_network, places) + GAP
    canvas.y += PAD - GAP
    canvas.background.insert(frame_index, canvas.rectangle(4, top, canvas.format.width - 8, canvas.y - top, "region"))
    canvas.y += PAD


def _draw_network(canvas: Canvas, diagram: Diagram, box: Box, entry: tuple[float, float, float] | None) -> None:
    """Draw the network, and the arrows of the requests into it and within it.

    Args:
        canvas: The canvas.
        diagram: The resources by place.
        box: The box of the network.
        entry: The left, right and lower edge of the box from which requests enter.

    """
    diagram_format, top, frame_index = canvas.format, canvas.y, len(canvas.background)
    left, width = PAD * 1.5, diagram_format.width - 3 * PAD
    x, inner = left + PAD + _RAIL_WIDTH, width - 2 * PAD - _RAIL_WIDTH
    canvas.text(left + PAD, top + 17, " ".join((box.title, *box.lines)), "title")
    draw_status_text(canvas, box, left + width - PAD, top + 17)
    canvas.y = top + 26
    public_spans, private_spans, columns = (
        _draw_zones_stacked if diagram_format.has_stacked_zones else _draw_zones_as_columns
    )(canvas, diagram, x, inner)
    canvas.y += PAD
    canvas.background.insert(frame_index, canvas.rectangle(left, top, width, canvas.y - top, "network"))
    if entry and public_spans:
        arrow_x = _gap_between_columns(columns, *entry[:2])
        canvas.arrow((arrow_x, entry[2]), (arrow_x, public_spans[0][0]))
    if public_spans and private_spans:
        from_y, to_y = sum(public_spans[0]) / 2, sum(private_spans[0]) / 2
        canvas.arrow((x - 4, from_y), (x - _RAIL_WIDTH, from_y), (x - _RAIL_WIDTH, to_y), (x - 4, to_y))


def _draw_zones_as_columns(canvas: Canvas, diagram: Diagram, x: float, width: float) -> tuple[Spans, Spans, Places]:
    """Draw the zones as columns, with the resources that span the subnets across all of them.

    Returns:
        The spans of the resources across the public subnets, those across the private subnets, and the
        columns.

    """
    columns = place_in_rows(max(len(diagram.zones), 1), x, width, max(len(diagram.zones), 1))
    top, frame_index = canvas.y, len(canvas.background)
    for zone, (_, zone_x, zone_width) in zip(diagram.zones, columns, strict=False):
        canvas.text(zone_x + 8, canvas.y + 16, zone.name, "pale", zone_width - 8)
    canvas.y += 24
    public_spans = _draw_across(canvas, diagram.across_public, x, width)
    _draw_subnets(canvas, [zone.public for zone in diagram.zones], columns)
    private_spans = _draw_across(canvas, diagram.across_private, x, width)
    _draw_subnets(canvas, [zone.private for zone in diagram.zones], columns)
    for _, zone_x, zone_width in columns if diagram.zones else ():
        canvas.background.insert(frame_index, canvas.rectangle(zone_x, top, zone_width, canvas.y - top, "zone"))
    return public_spans, private_spans, columns


def _draw_zones_stacked(canvas: Canvas, diagram: Diagram, x: float, width: float) -> tuple[Spans, Spans, Places]:
    """Draw the resources that span the subnets first, then the zones below one another.

    Returns:
        The spans of the resources across the public subnets, those across the private subnets, and no
        columns.

    """
    public_spans, private_spans = (
        _draw_across(canvas, diagram.across_public, x, width),
        _draw_across(canvas, diagram.across_private, x, width),
    )
    for zone in diagram.zones:
        top = canvas.y
        canvas.text(x + 4, top + 16, zone.name, "pale", width)
        canvas.y += 22
        _draw_subnets(canvas, [zone.public, zone.private], place_in_rows(2, x - 2, width + 4, 2))
        canvas.background.append(canvas.rectangle(x - 4, top, width + 8, canvas.y - top, "zone"))
        canvas.y += GAP
    return public_spans, private_spans, []


def _gap_between_columns(columns: Places, left: float, right: float) -> float:
    """Return the x coordinate for a line down between two columns, within these bounds."""
    gaps = [x - GAP / 2 for _, x, _ in columns[1:]]
    return next((x for x in reversed(gaps) if left + GAP < x < right - GAP), (left + right) / 2)


def _draw_across(canvas: Canvas, boxes: Iterable[Box], x: float, width: float) -> Spans:
    """Draw boxes across all zones, below one another, and return their upper and lower edges."""
    spans = []
    for box in boxes:
        bottom = draw_boxes(canvas, [box], [(0, x - 4, width + 8)])
        spans.append((canvas.y, bottom))
        canvas.y = bottom + GAP
    return spans


def _draw_subnets(canvas: Canvas, subnets: Sequence[Subnet | None], columns: Places) -> None:
    """Draw a row of subnets of equal height; None leaves a place empty."""
    if not any(subnets):
        return
    heights = [
        _subnet_height(canvas.format, subnet, width)
        for subnet, (_, _, width) in zip(subnets, columns, strict=True)
        if subnet
    ]
    for subnet, (_, x, width) in zip(subnets, columns, strict=True):
        if subnet:
            _draw_subnet(canvas, subnet, x + 3, width - 6, max(heights))
    canvas.y += max(heights) + GAP


def _subnet_height(diagram_format: DiagramFormat, subnet: Subnet, width: float) -> float:
    """Return the height that a subnet needs for its own text and the boxes in it."""
    inside = sum(height_of(diagram_format, box, width - 14) + GAP / 2 for box in subnet.inside)
    return height_of(diagram_format, subnet.box, width - 6) + inside + (GAP / 2 if subnet.inside else 0)


def _draw_subnet(canvas: Canvas, subnet: Subnet, x: float, width: float, height: float) -> None:
    """Draw a subnet with the boxes in it."""
    canvas.foreground.append(canvas.rectangle(x, canvas.y, width, height, "subnet"))
    draw_box(canvas, subnet.box, x, canvas.y, width, 0)
    y = canvas.y + height_of(canvas.format, subnet.box, width)
    for box in subnet.inside:
        box_height = height_of(canvas.format, box, width - 8)
        draw_box(canvas, box, x + 4, y, width - 8, box_height)
        y += box_height + GAP / 2


def _draw_legend(canvas: Canvas, undrawn_count: int) -> None:
    """Draw the legend of the colours, and the number of resources that are not drawn."""
    diagram_format, x = canvas.format, float(PAD)
    for status, label in _LEGEND.items() if canvas.statuses - {"unknown"} else ():
        if status not in canvas.statuses:
            continue
        width = 16 + len(label) * diagram_format.letter_size * 0.58 + PAD
        if x + width > diagram_format.width:
            x, canvas.y = float(PAD), canvas.y + diagram_format.line_height + 4
        with canvas.group(status):
            canvas.foreground.append(canvas.rectangle(x, canvas.y, 9, 9, "mark", 2))
            canvas.text(x + 14, canvas.y + 9, label, "pale")
        x += width
    canvas.y += diagram_format.line_height + 10
    if undrawn_count:
        canvas.text(PAD, canvas.y, f"Not drawn: {undrawn_count} parts of these, such as rules.", "pale")
        canvas.y += 10
