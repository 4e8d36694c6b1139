"""The declared graph as a Mermaid flowchart, which GitHub and many wikis draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.engine.graph import Edge, Stack
from provisioner.errors import UsageError
from provisioner.terminal.graph import by_piece, strictest
from provisioner.terminal.layout import implied

# What Mermaid draws without a setting of its reader's (mermaid.js.org/config/schema-docs/config.html,
# maxEdges and maxTextSize): GitHub and most wikis leave both as they are.
_MOST_EDGES, _MOST_TEXT = 500, 50_000


def as_mermaid(stack: Stack) -> str:
    """Return a subgraph a step; a thick arrow waits until the resource is ready, and says why.

    An edge that follows from others is left out.

    Raises:
        UsageError: The graph is larger than Mermaid draws.

    """
    edges = list(_edges(stack))
    drawn = "\n".join(["flowchart LR", *_boxes(stack), *edges])
    if len(edges) > _MOST_EDGES or len(drawn) > _MOST_TEXT:
        raise UsageError(
            f"Mermaid draws {_MOST_EDGES} edges and {_MOST_TEXT} characters at most; this graph has "
            f"{len(edges)} and {len(drawn)}.",
            "`--format svg-graph` draws every resource and edge; `--format dot` is for Graphviz.",
        )
    return drawn


def _boxes(stack: Stack) -> Iterator[str]:
    for piece, nodes in by_piece(stack).items():
        yield f'  subgraph {_id("p", piece)}["{_text(piece)}"]'
        for node in nodes:
            yield f'    {_id("n", node.name)}["{_text(node.name)}<br/>{_text(str(node.kind))}"]'
        yield "  end"


def _edges(stack: Stack) -> Iterator[str]:
    spare = implied(stack)
    for node in stack:
        for edge in strictest(node):
            if not edge.ready and (edge.to, node.name) in spare:
                continue
            yield f"  {_id('n', edge.to)} {_arrow(edge)} {_id('n', node.name)}"


def _arrow(edge: Edge) -> str:
    return f'==>|"{_text(edge.because)}"|' if edge.ready else "-->"


def _id(sort: str, name: str) -> str:
    """An id that is no word of Mermaid's (`end`), and another one for each name."""
    return f"{sort}_" + re.sub(r"[^0-9A-Za-z]", lambda found: f"_{ord(found[0]):02x}", name)


def _text(text: str) -> str:
    """Mermaid's own escapes (mermaid.js.org/syntax/flowchart.html, entity codes)."""
    return re.sub(r'[#"<>&]', lambda found: f"#{ord(found[0])};", text)
