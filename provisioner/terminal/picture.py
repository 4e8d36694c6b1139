"""The declared graph as one SVG picture, light or dark as its reader likes it, loading nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape

from provisioner.engine.resource_graph.graph import Edge, Resource, Stack
from provisioner.terminal.graph import strictest
from provisioner.terminal.layout import Cell, Layout, implied, lay_out

_NAMED = re.compile(r"var\(--([a-z-]+)\)")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def written_out(css: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
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
    at_night = _with("\n".join(coloured), dark)
    return f"{_with(css, light)}@media screen and (prefers-color-scheme: dark) {{\n{at_night}\n}}\n"


def _with(css: str, colours: Mapping[str, str]) -> str:
    """Return the CSS with each `var(--name)` replaced by the colour of that name."""
    return _NAMED.sub(lambda found: colours[found[1]], css)


_WIDE, _HIGH = 190, 34
_GAP_X, _GAP_Y, _PAD, _TITLE = 70, 12, 16, 64
_LABEL = 100
_LETTER = 6.6  # the greatest width of a letter in pixels; longer names are squeezed
_LIGHT = {"ground": "#fff", "ink": "#1b1f24", "pale": "#6b7280", "band": "#f5f6f8", "box": "#fff"}
_LIGHT |= {"line": "#c3c9d2", "ready": "#d97706"}
_DARK = {"ground": "#14171c", "ink": "#e6e8eb", "pale": "#9aa3af", "band": "#1c2027", "box": "#262b34"}
_DARK |= {"line": "#4b5563", "ready": "#fbbf24"}
_STYLE = written_out(
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
    layout = lay_out(stack)
    width, height = _LABEL + layout.columns * (_WIDE + _GAP_X) + _PAD, _top(layout, layout.rows) + _PAD
    title = f"{stack.suffix} in {stack.region}: {len(stack.resources)} resources declared"
    parts = [*_bands(layout, width), *_edges(stack, layout), *_boxes(stack, layout)]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img">
<title>{escape(title)}</title><style>{_STYLE}</style>
<rect class="ground" width="{width}" height="{height}"/>
<text class="title" x="{_PAD}" y="30">{escape(title)}</text>
<text class="pale" x="{_PAD}" y="50">What comes later stands further right. \
Thick lines wait until the thing is ready, thin ones only until it exists.</text>
{chr(10).join(parts)}
</svg>"""


def _top(layout: Layout, row: int) -> int:
    """Return the y coordinate of the upper edge of a row; the bands above it add their padding."""
    bands = sum(first < row for first, _ in layout.bands.values())
    return _TITLE + row * (_HIGH + _GAP_Y) + bands * 2 * _PAD


def _corner(layout: Layout, spot: Cell) -> tuple[int, int]:
    """Return the x and y coordinates of the upper left corner of a box."""
    first = max(first for first, _ in layout.bands.values() if first <= spot.row)
    return _LABEL + spot.column * (_WIDE + _GAP_X), _top(layout, first) + _PAD + (spot.row - first) * (_HIGH + _GAP_Y)


def _bands(layout: Layout, width: int) -> Iterator[str]:
    """Yield the band of each step with its name."""
    for step, (first, count) in layout.bands.items():
        y, height = _top(layout, first), count * (_HIGH + _GAP_Y) - _GAP_Y + 2 * _PAD
        yield f'<rect class="band" x="4" y="{y}" width="{width - 8}" height="{height}" rx="8"/>'
        yield f'<text class="piece" x="{_PAD}" y="{y + _PAD + 21}">{escape(step)}</text>'


def _boxes(stack: Stack, layout: Layout) -> Iterator[str]:
    """Yield the box of each resource with its logical id and type."""
    for resource in stack:
        x, y = _corner(layout, layout.spots[resource.logical_id])
        yield f"<g><title>{escape(_words(resource))}</title>"
        yield f'<rect class="box" x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="5"/>'
        yield f'<text x="{x + 8}" y="{y + 15}"{_squeezed(resource.logical_id)}>{escape(resource.logical_id)}</text>'
        yield f'<text class="kind" x="{x + 8}" y="{y + 28}">{escape(str(resource.type))}</text></g>'


def _squeezed(text: str) -> str:
    """Return the attributes that squeeze a long text into a box; "" for a text that fits."""
    room = _WIDE - 16
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if len(text) * _LETTER > room else ""


def _words(resource: Resource) -> str:
    """Return the tooltip of a box: address, type and AWS name of the resource."""
    return f"{resource.step}/{resource.logical_id}: {resource.type} {resource.aws_name}".rstrip()


def _edges(stack: Stack, layout: Layout) -> Iterator[str]:
    """Yield a curve for each edge; edges that wait for readiness come last, to be on top."""
    spare = implied(stack)
    edges = [(resource.logical_id, edge) for resource in stack for edge in strictest(resource)]
    for name, edge in sorted(edges, key=lambda one: one[1].ready):
        sort = "ready" if edge.ready else "implied" if (edge.to, name) in spare else "exists"
        yield _line(layout, name, edge, sort)


def _line(layout: Layout, name: str, edge: Edge, sort: str) -> str:
    """Return the curve of one edge, with a tooltip.

    Args:
        layout: The positions of the resources.
        name: The resource that the curve leads to.
        edge: The edge to the resource that it depends on, where the curve begins.
        sort: The CSS class of the curve.

    """
    x, y = _corner(layout, layout.spots[edge.to])
    to_x, to_y = _corner(layout, layout.spots[name])
    x, y, to_y = x + _WIDE, y + _HIGH // 2, to_y + _HIGH // 2
    bend = _GAP_X
    told = f"{name} after {edge.to}" + (f", when it is ready: {edge.reason}" if edge.ready else "")
    curve = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="{sort}" d="{curve}"><title>{escape(told)}</title></path>'
