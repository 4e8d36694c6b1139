"""The declared graph as one SVG picture in a light and a dark colour scheme, without external files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape

from provisioner.engine.resource_graph.graph import Edge, Resource, Stack
from provisioner.terminal.graph import strictest_edges
from provisioner.terminal.graph_layout import Cell, Layout, implied_edges, lay_out_graph

_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def css_for_both_schemes(css: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """Return the CSS rules for both colour schemes with each `var(--name)` replaced by its colour.

    All rules come first with the light colours, then the coloured ones again with the dark colours, in a
    media query. librsvg, CairoSVG, Inkscape and WeasyPrint know no variables in SVG, and skip a media query
    that they do not know, so it is last.
    """
    coloured = [
        f"{selector.strip()} {{ {'; '.join(part for part in parts.split(';') if '--' in part)} }}"
        for selector, parts in _RULE.findall(css)
        if "var(--" in parts
    ]
    dark_rules = _replace_variables("\n".join(coloured), dark)
    return f"{_replace_variables(css, light)}@media screen and (prefers-color-scheme: dark) {{\n{dark_rules}\n}}\n"


def _replace_variables(css: str, colours: Mapping[str, str]) -> str:
    """Return the CSS with each `var(--name)` replaced by the colour of that name."""
    return _VARIABLE.sub(lambda match: colours[match[1]], css)


_BOX_WIDTH, _BOX_HEIGHT = 190, 34
_GAP_X, _GAP_Y, _PAD, _TITLE_HEIGHT = 70, 12, 16, 64
_LABEL_WIDTH = 100
_LETTER_WIDTH = 6.6  # the greatest width of a letter in pixels; longer names are squeezed
_LIGHT = {"ground": "#fff", "ink": "#1b1f24", "pale": "#6b7280", "band": "#f5f6f8", "box": "#fff"}
_LIGHT |= {"line": "#c3c9d2", "ready": "#d97706"}
_DARK = {"ground": "#14171c", "ink": "#e6e8eb", "pale": "#9aa3af", "band": "#1c2027", "box": "#262b34"}
_DARK |= {"line": "#4b5563", "ready": "#fbbf24"}
_STYLE = css_for_both_schemes(
    """
svg { background: var(--ground); font-size: 12px; font-family: system-ui, sans-serif }
.ground { fill: var(--ground) }
text { fill: var(--ink) } .pale, .kind { fill: var(--pale) } .kind { font-size: 10px }
.title { font-size: 18px; font-weight: 600 } .piece { font-weight: 600 }
.band { fill: var(--band) } .box { fill: var(--box); stroke: var(--line) }
path { fill: none; stroke: var(--line); stroke-width: 1.2 } path.implied { opacity: .35 }
path.ready { stroke: var(--ready); stroke-width: 1.8; opacity: 1 } path:hover { stroke: var(--ink) }
""",
    _LIGHT,
    _DARK,
)


def as_svg(stack: Stack) -> str:
    """Return the SVG picture.

    Each step has a band of its own, and each resource is to the right of those that it depends on.
    """
    layout = lay_out_graph(stack)
    width = _LABEL_WIDTH + layout.columns * (_BOX_WIDTH + _GAP_X) + _PAD
    height = _row_top(layout, layout.rows) + _PAD
    title = f"{stack.suffix} in {stack.region}: {len(stack.resources)} resources declared"
    parts = [*_bands(layout, width), *_edges(stack, layout), *_boxes(stack, layout)]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img">
<title>{escape(title)}</title><style>{_STYLE}</style>
<rect class="ground" width="{width}" height="{height}"/>
<text class="title" x="{_PAD}" y="30">{escape(title)}</text>
<text class="pale" x="{_PAD}" y="50">Each resource is to the right of those that it depends on. \
Thick line: it waits until they are ready. Thin line: only until they exist.</text>
{chr(10).join(parts)}
</svg>"""


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


def _bands(layout: Layout, width: int) -> Iterator[str]:
    """Yield the band of each step with its name."""
    for step, (first_row, count) in layout.bands.items():
        y, height = _row_top(layout, first_row), count * (_BOX_HEIGHT + _GAP_Y) - _GAP_Y + 2 * _PAD
        yield f'<rect class="band" x="4" y="{y}" width="{width - 8}" height="{height}" rx="8"/>'
        yield f'<text class="piece" x="{_PAD}" y="{y + _PAD + 21}">{escape(step)}</text>'


def _boxes(stack: Stack, layout: Layout) -> Iterator[str]:
    """Yield the box of each resource with its logical id and type."""
    for resource in stack:
        x, y = _box_corner(layout, layout.cells[resource.logical_id])
        yield f"<g><title>{escape(_tooltip(resource))}</title>"
        yield f'<rect class="box" x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="5"/>'
        squeeze = _squeeze_attributes(resource.logical_id)
        yield f'<text x="{x + 8}" y="{y + 15}"{squeeze}>{escape(resource.logical_id)}</text>'
        yield f'<text class="kind" x="{x + 8}" y="{y + 28}">{escape(str(resource.type))}</text></g>'


def _squeeze_attributes(text: str) -> str:
    """Return the attributes that squeeze a long text into a box; "" for a text that fits."""
    room = _BOX_WIDTH - 16
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if len(text) * _LETTER_WIDTH > room else ""


def _tooltip(resource: Resource) -> str:
    """Return the tooltip of a box: address, type and AWS name of the resource."""
    return f"{resource.step}/{resource.logical_id}: {resource.type} {resource.aws_name}".rstrip()


def _edges(stack: Stack, layout: Layout) -> Iterator[str]:
    """Yield a curve for each edge; edges that wait for readiness come last, to be on top."""
    redundant = implied_edges(stack)
    edges = [(resource.logical_id, edge) for resource in stack for edge in strictest_edges(resource)]
    for name, edge in sorted(edges, key=lambda named_edge: named_edge[1].ready):
        css_class = "ready" if edge.ready else "implied" if (edge.to, name) in redundant else "exists"
        yield _edge_curve(layout, name, edge, css_class)


def _edge_curve(layout: Layout, name: str, edge: Edge, css_class: str) -> str:
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
    curve = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="{css_class}" d="{curve}"><title>{escape(tooltip)}</title></path>'
