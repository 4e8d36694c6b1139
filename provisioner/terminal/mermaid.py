"""The declared graph as a Mermaid flowchart, which GitHub and many wikis draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.engine.graph import Edge, Stack
from provisioner.terminal.graph import by_piece, strictest


def as_mermaid(stack: Stack) -> str:
    """A subgraph a piece; a thick arrow waits until the thing is ready, and says why."""
    return "\n".join(_lines(stack))


def _lines(stack: Stack) -> Iterator[str]:
    yield "flowchart LR"
    for piece, nodes in by_piece(stack).items():
        yield f'  subgraph {_id("p", piece)}["{_text(piece)}"]'
        for node in nodes:
            yield f'    {_id("n", node.name)}["{_text(node.name)}<br/>{_text(str(node.kind))}"]'
        yield "  end"
    for node in stack:
        for edge in strictest(node):
            yield f"  {_id('n', edge.to)} {_arrow(edge)} {_id('n', node.name)}"


def _arrow(edge: Edge) -> str:
    return f'==>|"{_text(edge.because)}"|' if edge.ready else "-->"


def _id(sort: str, name: str) -> str:
    """An id that is no word of Mermaid's (`end`), and another one for each name."""
    return f"{sort}_" + re.sub(r"[^0-9A-Za-z]", lambda found: f"_{ord(found[0]):02x}", name)


def _text(text: str) -> str:
    """Mermaid's own escapes (mermaid.js.org/syntax/flowchart.html, entity codes)."""
    return re.sub(r'[#"<>&]', lambda found: f"#{ord(found[0])};", text)
