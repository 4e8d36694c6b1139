"""The declared graph in Graphviz' language."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.graph import Edge, Stack
from provisioner.terminal.graph import by_piece, strictest


def as_dot(stack: Stack) -> str:
    """A cluster a piece; a bold arrow waits until the thing is ready, and says why."""
    return "\n".join(_lines(stack))


def _lines(stack: Stack) -> Iterator[str]:
    yield f"digraph {_quoted(stack.suffix)} {{"
    yield "  rankdir=LR"
    yield "  node [shape=box]"
    for piece, nodes in by_piece(stack).items():
        # Only what is called `cluster...` is drawn as a box (graphviz.org/doc/info/lang.html).
        yield f"  subgraph {_quoted(f'cluster_{piece}')} {{"
        yield f"    label={_quoted(piece)}"
        for node in nodes:
            label = _quoted(f"{node.name}\n{node.kind}")
            yield f"    {_quoted(node.name)} [label={label}]"
        yield "  }"
    for node in stack:
        for edge in strictest(node):
            yield f"  {_quoted(edge.to)} -> {_quoted(node.name)}{_looks(edge)}"
    yield "}"


def _looks(edge: Edge) -> str:
    return f" [style=bold, label={_quoted(edge.because)}]" if edge.ready else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
