"""The declared graph as one SVG picture, light or dark as its reader likes it, loading nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from provisioner.engine.graph import Edge, Node, Stack
from provisioner.terminal.graph import strictest
from provisioner.terminal.layout import Layout, Spot, implied, lay_out
from provisioner.terminal.palette import written_out

_WIDE, _HIGH = 190, 34
_GAP_X, _GAP_Y, _PAD, _TITLE = 70, 12, 16, 64
_LABEL = 100
_LETTER = 6.6  # pixels that a letter takes at the most; longer names are squeezed
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
    """The whole picture: what comes later stands further right, each piece in a band of its own."""
    layout = lay_out(stack)
    width, height = _LABEL + layout.columns * (_WIDE + _GAP_X) + _PAD, _top(layout, layout.rows) + _PAD
    title = f"{stack.suffix} in {stack.region}: {len(stack.nodes)} resources declared"
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
    """The upper edge of a row: each band before it takes some room of its own."""
    bands = sum(first < row for first, _ in layout.bands.values())
    return _TITLE + row * (_HIGH + _GAP_Y) + bands * 2 * _PAD


def _corner(layout: Layout, spot: Spot) -> tuple[int, int]:
    first = max(first for first, _ in layout.bands.values() if first <= spot.row)
    return _LABEL + spot.column * (_WIDE + _GAP_X), _top(layout, first) + _PAD + (spot.row - first) * (
        _HIGH + _GAP_Y
    )


def _bands(layout: Layout, width: int) -> Iterator[str]:
    for piece, (first, count) in layout.bands.items():
        y, height = _top(layout, first), count * (_HIGH + _GAP_Y) - _GAP_Y + 2 * _PAD
        yield f'<rect class="band" x="4" y="{y}" width="{width - 8}" height="{height}" rx="8"/>'
        yield f'<text class="piece" x="{_PAD}" y="{y + _PAD + 21}">{escape(piece)}</text>'


def _boxes(stack: Stack, layout: Layout) -> Iterator[str]:
    for node in stack:
        x, y = _corner(layout, layout.spots[node.name])
        yield f"<g><title>{escape(_words(node))}</title>"
        yield f'<rect class="box" x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="5"/>'
        yield f'<text x="{x + 8}" y="{y + 15}"{_squeezed(node.name)}>{escape(node.name)}</text>'
        yield f'<text class="kind" x="{x + 8}" y="{y + 28}">{escape(str(node.kind))}</text></g>'


def _squeezed(text: str) -> str:
    room = _WIDE - 16
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if len(text) * _LETTER > room else ""


def _words(node: Node) -> str:
    return f"{node.piece}/{node.name}: {node.kind} {node.aws_name}".rstrip()


def _edges(stack: Stack, layout: Layout) -> Iterator[str]:
    """The lines; those that wait for more lie on top."""
    spare = implied(stack)
    edges = [(node.name, edge) for node in stack for edge in strictest(node)]
    for name, edge in sorted(edges, key=lambda one: one[1].ready):
        sort = "ready" if edge.ready else "implied" if (edge.to, name) in spare else "exists"
        yield _line(layout, name, edge, sort)


def _line(layout: Layout, name: str, edge: Edge, sort: str) -> str:
    x, y = _corner(layout, layout.spots[edge.to])
    to_x, to_y = _corner(layout, layout.spots[name])
    x, y, to_y = x + _WIDE, y + _HIGH // 2, to_y + _HIGH // 2
    bend = _GAP_X
    told = f"{name} after {edge.to}" + (f", when it is ready: {edge.because}" if edge.ready else "")
    curve = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="{sort}" d="{curve}"><title>{escape(told)}</title></path>'
