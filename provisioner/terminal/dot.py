"""The declared graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.terminal.graph import by_piece, strictest


def as_dot(stack: Stack) -> str:
    """Return the graph in the language of Graphviz.

    Each step is a cluster. A bold arrow means that the resource waits until the other is ready; its label
    says why.
    """
    return "\n".join(_lines(stack))


def _lines(stack: Stack) -> Iterator[str]:
    """Yield the lines of the graph."""
    yield f"digraph {_quoted(stack.suffix)} {{"
    yield "  rankdir=LR"
    yield "  node [shape=box]"
    for step, resources in by_piece(stack).items():
        # Graphviz draws a box only for a subgraph named `cluster...` (graphviz.org/doc/info/lang.html).
        yield f"  subgraph {_quoted(f'cluster_{step}')} {{"
        yield f"    label={_quoted(step)}"
        for resource in resources:
            label = _quoted(f"{resource.logical_id}\n{resource.type}")
            yield f"    {_quoted(resource.logical_id)} [label={label}]"
        yield "  }"
    for resource in stack:
        for edge in strictest(resource):
            yield f"  {_quoted(edge.to)} -> {_quoted(resource.logical_id)}{_looks(edge)}"
    yield "}"


def _looks(edge: Edge) -> str:
    """Return the attributes of an arrow: bold with the reason if the resource waits for readiness."""
    return f" [style=bold, label={_quoted(edge.reason)}]" if edge.ready else ""


def _quoted(text: str) -> str:
    """Return the text as a quoted string of Graphviz."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
