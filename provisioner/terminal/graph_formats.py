"""The declared graph in Graphviz' language, and as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.errors import UsageError
from provisioner.terminal.graph import by_piece, strictest
from provisioner.terminal.layout import implied


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


# Mermaid's default limits (mermaid.js.org/config/schema-docs/config.html, maxEdges and maxTextSize), which
# GitHub and most wikis do not change.
_MOST_EDGES, _MOST_TEXT = 500, 50_000


def as_mermaid(stack: Stack) -> str:
    """Return the graph as a Mermaid flowchart with a subgraph for each step.

    A thick arrow means that the resource waits until the other is ready; its label says why. An edge that
    follows from others is left out.

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
    """Yield the lines of the subgraphs, with a box for each resource."""
    for step, resources in by_piece(stack).items():
        yield f'  subgraph {_id("p", step)}["{_text(step)}"]'
        for resource in resources:
            yield f'    {_id("n", resource.logical_id)}["{_text(resource.logical_id)}<br/>{_text(str(resource.type))}"]'
        yield "  end"


def _edges(stack: Stack) -> Iterator[str]:
    """Yield a line for each edge, without edges that follow from others and do not wait for readiness."""
    spare = implied(stack)
    for resource in stack:
        for edge in strictest(resource):
            if not edge.ready and (edge.to, resource.logical_id) in spare:
                continue
            yield f"  {_id('n', edge.to)} {_arrow(edge)} {_id('n', resource.logical_id)}"


def _arrow(edge: Edge) -> str:
    """Return the arrow of an edge: thick with the reason if it waits for readiness."""
    return f'==>|"{_text(edge.reason)}"|' if edge.ready else "-->"


def _id(sort: str, name: str) -> str:
    """Return an id that is unique for each name and is no keyword of Mermaid, such as `end`."""
    return f"{sort}_" + re.sub(r"[^0-9A-Za-z]", lambda found: f"_{ord(found[0]):02x}", name)


def _text(text: str) -> str:
    """Return the text with Mermaid's escapes (mermaid.js.org/syntax/flowchart.html, entity codes)."""
    return re.sub(r'[#"<>&]', lambda found: f"#{ord(found[0])};", text)
