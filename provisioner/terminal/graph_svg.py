"""The declared graph as one SVG picture in a light and a dark colour scheme, without external files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner.engine.resource_graph.graph import Edge, Resource, Stack
from provisioner.terminal.graph import strictest_edges
from provisioner.terminal.graph_layout import Cell, Layout, implied_edges, lay_out_graph
from provisioner.terminal.page_templates import render

_BOX_WIDTH, _BOX_HEIGHT = 190, 38
_GAP_X, _GAP_Y, _PAD, _TITLE_HEIGHT = 70, 12, 16, 64
_LABEL_WIDTH = 100
_LETTER_WIDTH = 6.6  # the greatest width of a letter in pixels; longer names are squeezed


@dataclass(frozen=True)
class Band:
    """The band of one step, with its upper edge and its height."""

    step: str
    y: int
    height: int


@dataclass(frozen=True)
class Curve:
    """The curve of one edge: its CSS class, its path, and its tooltip."""

    css_class: str
    path: str
    tooltip: str


@dataclass(frozen=True)
class ResourceBox:
    """The box of one resource, with its upper left corner and its tooltip; a long name is squeezed into a width."""

    resource: Resource
    x: int
    y: int
    tooltip: str
    squeezed_width: int = 0


def as_svg(stack: Stack) -> str:
    """Return the SVG picture.

    Each step has a band of its own, and each resource is to the right of those that it depends on.
    """
    layout = lay_out_graph(stack)
    return render(
        "graph.svg",
        title=f"{stack.suffix} in {stack.region}: {len(stack.resources)} resources declared",
        width=_LABEL_WIDTH + layout.columns * (_BOX_WIDTH + _GAP_X) + _PAD,
        height=_row_top(layout, layout.rows) + _PAD,
        pad=_PAD,
        box_width=_BOX_WIDTH,
        box_height=_BOX_HEIGHT,
        bands=_bands(layout),
        edges=_edges(stack, layout),
        boxes=_boxes(stack, layout),
    )


def _row_top(layout: Layout, row: int) -> int:
    """Return the y coordinate of the upper edge of a row; the bands above it add their padding."""
    bands = sum(first < row for first, _ in layout.bands.values())
    return _TITLE_HEIGHT + row * (_BOX_HEIGHT + _GAP_Y) + bands * 2 * _PAD


def _box_corner(layout: Layout, cell: Cell) -> tuple[int, int]:
    """Return the x and y coordinates of the upper left corner of a box."""
    first_row = max(first_row for first_row, _ in layout.bands.values() if first_row <= cell.row)
    x = _LABEL_WIDTH + cell.column * (_BOX_WIDTH + _GAP_X)
    y = _row_top(layout, first_row) + _PAD + (cell.row - first_row) * (_BOX_HEIGHT + _GAP_Y)
    return x, y


def _bands(layout: Layout) -> Iterator[Band]:
    """Yield the band of each step."""
    for step, (first_row, count) in layout.bands.items():
        yield Band(step, _row_top(layout, first_row), count * (_BOX_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _PAD)


def _boxes(stack: Stack, layout: Layout) -> Iterator[ResourceBox]:
    """Yield the box of each resource."""
    room = _BOX_WIDTH - 16
    for resource in stack:
        x, y = _box_corner(layout, layout.cells[resource.logical_id])
        is_squeezed = len(resource.logical_id) * _LETTER_WIDTH > room
        yield ResourceBox(resource, x, y, _tooltip(resource), room if is_squeezed else 0)


def _tooltip(resource: Resource) -> str:
    """Return the tooltip of a box: address, type and AWS name of the resource."""
    return f"{resource.step}/{resource.logical_id}: {resource.type} {resource.aws_name}".rstrip()


def _edges(stack: Stack, layout: Layout) -> Iterator[Curve]:
    """Yield a curve for each edge; edges that wait for readiness come last, to be on top."""
    redundant = implied_edges(stack)
    edges = [(resource.logical_id, edge) for resource in stack for edge in strictest_edges(resource)]
    for name, edge in sorted(edges, key=lambda named_edge: named_edge[1].ready):
        css_class = "ready" if edge.ready else "implied" if (edge.to, name) in redundant else "exists"
        yield _edge_curve(layout, name, edge, css_class)


def _edge_curve(layout: Layout, name: str, edge: Edge, css_class: str) -> Curve:
    """Return the curve of one edge, with a tooltip.

    Args:
        layout: The positions of the resources.
        name: The resource that the curve leads to.
        edge: The edge to the resource that it depends on, where the curve begins.
        css_class: The CSS class of the curve.

    """
    x, y = _box_corner(layout, layout.cells[edge.to])
    to_x, to_y = _box_corner(layout, layout.cells[name])
    x, y, to_y = x + _BOX_WIDTH, y + _BOX_HEIGHT // 2, to_y + _BOX_HEIGHT // 2
    bend = _GAP_X
    tooltip = f"{name} after {edge.to}" + (f", when it is ready: {edge.reason}" if edge.ready else "")
    return Curve(css_class, f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}", tooltip)
