"""The diagram of the stack's resources, for a wide screen and for a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from provisioner.terminal.report.canvas import (
    GAP,
    PAD,
    WIDE,
    Canvas,
    Format,
    Places,
    Spans,
    boxes_in,
    draw_box,
    grid,
    height_of,
    word_at,
)
from provisioner.terminal.report.model import Box, Map, Subnet
from provisioner.terminal.report.style import PICTURE

_RAIL, _STEP = 14, 22
_LEGEND = {
    "good": "as wanted",
    "busy": "at work",
    "changed": "changed by hand",
    "bad": "missing or failed",
    "unknown": "not asked",
}


def as_svg(found: Map, form: Format = WIDE, *, alone: bool = True) -> str:
    """Return the diagram as SVG.

    Args:
        found: The resources by place.
        form: The format of the diagram.
        alone: Whether the diagram stands alone, with a title and a size, and not in a page.

    """
    canvas = Canvas(form, 30 if alone else 4)
    if alone:
        canvas.text(PAD, 20, found.title, "head", form.width * 0.7)
    door = _edge(canvas, found)
    _region(canvas, found, door)
    _foot(canvas, found.parts)
    size = f' width="{form.width}" height="{canvas.y:g}"' if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map {form.name}" role="img" '
        f'viewBox="0 0 {form.width} {canvas.y:g}"{size}><title>{escape(found.title)}</title>'
        f"<style>{PICTURE}</style>\n"
        f'<rect class="ground" width="{form.width}" height="{canvas.y:g}"/>\n'
        + "\n".join([*canvas.back, *canvas.front])
        + "\n</svg>"
    )


def _edge(canvas: Canvas, found: Map) -> tuple[float, float, float] | None:
    """Draw the viewers and the resources in front of the region.

    Returns:
        The left, right and lower edge of the last box, from which requests enter the region; None if there
        are no boxes.

    """
    if not found.edge:
        return None
    places = grid(len(found.edge), PAD, canvas.form.width - 2 * PAD, canvas.form.in_a_row)
    x, width = places[-1][1:]
    middle = x + width / 2
    canvas.text(middle - 3.6 * canvas.form.letters * 0.56, canvas.y + 14, "Viewers", "title")
    canvas.way((middle, canvas.y + 18), (middle, canvas.y + 34))
    canvas.y += 34
    bottom = boxes_in(canvas, found.edge, places)
    canvas.y = bottom + _STEP
    return x, x + width, bottom


def _region(canvas: Canvas, found: Map, door: tuple[float, float, float] | None) -> None:
    """Draw the region: the network, and the resources beside it.

    Args:
        canvas: The canvas.
        found: The resources by place.
        door: The left, right and lower edge of the box from which requests enter.

    """
    top, at = canvas.y, len(canvas.back)
    canvas.text(PAD * 1.5, top + 17, f"Region {found.region}", "pale")
    canvas.y += 26
    if found.network:
        _network(canvas, found, found.network, door)
        canvas.y += GAP
    if found.beside:
        places = grid(len(found.beside), PAD * 1.5, canvas.form.width - 3 * PAD, canvas.form.in_a_row)
        canvas.y = boxes_in(canvas, found.beside, places) + GAP
    canvas.y += PAD - GAP
    canvas.back.insert(at, canvas.frame(4, top, canvas.form.width - 8, canvas.y - top, "region"))
    canvas.y += PAD


def _network(canvas: Canvas, found: Map, box: Box, door: tuple[float, float, float] | None) -> None:
    """Draw the network, and the arrows of the requests into it and within it.

    Args:
        canvas: The canvas.
        found: The resources by place.
        box: The box of the network.
        door: The left, right and lower edge of the box from which requests enter.

    """
    form, top, at = canvas.form, canvas.y, len(canvas.back)
    left, width = PAD * 1.5, form.width - 3 * PAD
    x, inner = left + PAD + _RAIL, width - 2 * PAD - _RAIL
    canvas.text(left + PAD, top + 17, " ".join((box.title, *box.lines)), "title")
    canvas.front.append(word_at(canvas, box, left + width - PAD, top + 17))
    canvas.y = top + 26
    doors, rooms, columns = (_stacked if form.stacked else _side_by_side)(canvas, found, x, inner)
    canvas.y += PAD
    canvas.back.insert(at, canvas.frame(left, top, width, canvas.y - top, "network"))
    if door and doors:
        in_x = _gutter(columns, *door[:2])
        canvas.way((in_x, door[2]), (in_x, doors[0][0]))
    if doors and rooms:
        down, up = sum(doors[0]) / 2, sum(rooms[0]) / 2
        canvas.way((x - 4, down), (x - _RAIL, down), (x - _RAIL, up), (x - 4, up))


def _side_by_side(canvas: Canvas, found: Map, x: float, width: float) -> tuple[Spans, Spans, Places]:
    """Draw the zones as columns, with the resources that span the subnets across all of them.

    Returns:
        The spans of the resources across the public subnets, those across the private subnets, and the
        columns.

    """
    columns = grid(max(len(found.zones), 1), x, width, max(len(found.zones), 1))
    top, at = canvas.y, len(canvas.back)
    for zone, (_, zone_x, zone_width) in zip(found.zones, columns, strict=False):
        canvas.text(zone_x + 8, canvas.y + 16, zone.name, "pale", zone_width - 8)
    canvas.y += 24
    doors = _bars(canvas, found.front, x, width)
    _subnets(canvas, [zone.public for zone in found.zones], columns)
    rooms = _bars(canvas, found.back, x, width)
    _subnets(canvas, [zone.private for zone in found.zones], columns)
    for _, zone_x, zone_width in columns if found.zones else ():
        canvas.back.insert(at, canvas.frame(zone_x, top, zone_width, canvas.y - top, "zone"))
    return doors, rooms, columns


def _stacked(canvas: Canvas, found: Map, x: float, width: float) -> tuple[Spans, Spans, Places]:
    """Draw the resources that span the subnets first, then the zones below one another.

    Returns:
        The spans of the resources across the public subnets, those across the private subnets, and no
        columns.

    """
    doors, rooms = _bars(canvas, found.front, x, width), _bars(canvas, found.back, x, width)
    for zone in found.zones:
        top = canvas.y
        canvas.text(x + 4, top + 16, zone.name, "pale", width)
        canvas.y += 22
        _subnets(canvas, [zone.public, zone.private], grid(2, x - 2, width + 4, 2))
        canvas.back.append(canvas.frame(x - 4, top, width + 8, canvas.y - top, "zone"))
        canvas.y += GAP
    return doors, rooms, []


def _gutter(columns: Places, left: float, right: float) -> float:
    """Return the x coordinate for a line down between two columns, within these bounds."""
    gaps = [x - GAP / 2 for _, x, _ in columns[1:]]
    return next((x for x in reversed(gaps) if left + GAP < x < right - GAP), (left + right) / 2)


def _bars(canvas: Canvas, boxes: Iterable[Box], x: float, width: float) -> Spans:
    """Draw boxes across all zones, below one another, and return their upper and lower edges."""
    found = []
    for box in boxes:
        bottom = boxes_in(canvas, [box], [(0, x - 4, width + 8)])
        found.append((canvas.y, bottom))
        canvas.y = bottom + GAP
    return found


def _subnets(canvas: Canvas, subnets: Sequence[Subnet | None], columns: Places) -> None:
    """Draw a row of subnets of equal height; None leaves a place empty."""
    if not any(subnets):
        return
    heights = [
        _subnet_height(canvas.form, one, width) for one, (_, _, width) in zip(subnets, columns, strict=True) if one
    ]
    for one, (_, x, width) in zip(subnets, columns, strict=True):
        if one:
            _subnet(canvas, one, x + 3, width - 6, max(heights))
    canvas.y += max(heights) + GAP


def _subnet_height(form: Format, one: Subnet, width: float) -> float:
    """Return the height that a subnet needs for its own text and the boxes in it."""
    inside = sum(height_of(form, box, width - 14) + GAP / 2 for box in one.inside)
    return height_of(form, one.box, width - 6) + inside + (GAP / 2 if one.inside else 0)


def _subnet(canvas: Canvas, one: Subnet, x: float, width: float, height: float) -> None:
    """Draw a subnet with the boxes in it."""
    canvas.front.append(canvas.frame(x, canvas.y, width, height, "subnet"))
    draw_box(canvas, one.box, x, canvas.y, width, 0)
    y = canvas.y + height_of(canvas.form, one.box, width)
    for box in one.inside:
        tall = height_of(canvas.form, box, width - 8)
        draw_box(canvas, box, x + 4, y, width - 8, tall)
        y += tall + GAP / 2


def _foot(canvas: Canvas, parts: int) -> None:
    """Draw the legend of the colours, and the number of resources that are not drawn."""
    form, x = canvas.form, float(PAD)
    for state, words in _LEGEND.items() if canvas.states - {"unknown"} else ():
        if state not in canvas.states:
            continue
        width = 16 + len(words) * form.letters * 0.58 + PAD
        if x + width > form.width:
            x, canvas.y = float(PAD), canvas.y + form.line + 4
        canvas.front.append(
            f'<g class="{state}"><rect class="mark" x="{x:g}" y="{canvas.y:g}" width="9" height="9" rx="2"/>'
        )
        canvas.text(x + 14, canvas.y + 9, words, "pale")
        canvas.front.append("</g>")
        x += width
    canvas.y += form.line + 10
    if parts:
        words = f"{parts} more belong to these: rules, routes, policies, settings."
        canvas.text(PAD, canvas.y, words, "pale")
        canvas.y += 10
