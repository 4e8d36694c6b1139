"""The declared graph in Graphviz' language, and as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.engine.resource_graph.graph import Edge, Stack
from provisioner.errors import UsageError
from provisioner.terminal.graph import resources_by_step, strictest_edges
from provisioner.terminal.graph_layout import implied_edges


def as_dot(stack: Stack) -> str:
    """Return the graph in the language of Graphviz.

    Each step is a cluster. A bold arrow means that the resource waits until the other is ready; its label
    says why.
    """
    return "\n".join(_dot_lines(stack))


def _dot_lines(stack: Stack) -> Iterator[str]:
    """Yield the lines of the graph."""
    yield f"digraph {_dot_quote(stack.suffix)} {{"
    yield "  rankdir=LR"
    yield "  node [shape=box]"
    for step, resources in resources_by_step(stack).items():
        # Graphviz draws a box only for a subgraph named `cluster...` (graphviz.org/doc/info/lang.html).
        yield f"  subgraph {_dot_quote(f'cluster_{step}')} {{"
        yield f"    label={_dot_quote(step)}"
        for resource in resources:
            label = _dot_quote(f"{resource.logical_id}\n{resource.type}")
            yield f"    {_dot_quote(resource.logical_id)} [label={label}]"
        yield "  }"
    for resource in stack:
        for edge in strictest_edges(resource):
            yield f"  {_dot_quote(edge.to)} -> {_dot_quote(resource.logical_id)}{_dot_attributes(edge)}"
    yield "}"


def _dot_attributes(edge: Edge) -> str:
    """Return the attributes of an arrow: bold with the reason if the resource waits for readiness."""
    return f" [style=bold, label={_dot_quote(edge.reason)}]" if edge.ready else ""


def _dot_quote(text: str) -> str:
    """Return the text as a quoted string of Graphviz."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


# Mermaid's default limits (mermaid.js.org/config/schema-docs/config.html, maxEdges and maxTextSize), which
# GitHub and most wikis do not change.
_MAX_EDGES, _MAX_TEXT = 500, 50_000


def as_mermaid(stack: Stack) -> str:
    """Return the graph as a Mermaid flowchart with a subgraph for each step.

    A thick arrow means that the resource waits until the other is ready; its label says why. An edge that
    follows from others is left out.

    Raises:
        UsageError: The graph is larger than Mermaid draws.

    """
    edges = list(_mermaid_edges(stack))
    flowchart = "\n".join(["flowchart LR", *_mermaid_subgraphs(stack), *edges])
    if len(edges) > _MAX_EDGES or len(flowchart) > _MAX_TEXT:
        raise UsageError(
            f"Mermaid draws {_MAX_EDGES} edges and {_MAX_TEXT} characters at most; this graph has "
            f"{len(edges)} and {len(flowchart)}.",
            "`--format svg-graph` draws every resource and edge; `--format dot` is for Graphviz.",
        )
    return flowchart


def _mermaid_subgraphs(stack: Stack) -> Iterator[str]:
    """Yield the lines of the subgraphs, with a box for each resource."""
    for step, resources in resources_by_step(stack).items():
        yield f'  subgraph {_mermaid_id("p", step)}["{_mermaid_text(step)}"]'
        for resource in resources:
            label = f"{_mermaid_text(resource.logical_id)}<br/>{_mermaid_text(str(resource.type))}"
            yield f'    {_mermaid_id("n", resource.logical_id)}["{label}"]'
        yield "  end"


def _mermaid_edges(stack: Stack) -> Iterator[str]:
    """Yield a line for each edge, without edges that follow from others and do not wait for readiness."""
    redundant = implied_edges(stack)
    for resource in stack:
        for edge in strictest_edges(resource):
            if not edge.ready and (edge.to, resource.logical_id) in redundant:
                continue
            yield f"  {_mermaid_id('n', edge.to)} {_mermaid_arrow(edge)} {_mermaid_id('n', resource.logical_id)}"


def _mermaid_arrow(edge: Edge) -> str:
    """Return the arrow of an edge: thick with the reason if it waits for readiness."""
    return f'==>|"{_mermaid_text(edge.reason)}"|' if edge.ready else "-->"


def _mermaid_id(prefix: str, name: str) -> str:
    """Return an id that is unique for each name and is no keyword of Mermaid, such as `end`."""
    return f"{prefix}_" + re.sub(r"[^0-9A-Za-z]", lambda match: f"_{ord(match[0]):02x}", name)


def _mermaid_text(text: str) -> str:
    """Return the text with Mermaid's escapes (mermaid.js.org/syntax/flowchart.html, entity codes)."""
    return re.sub(r'[#"<>&]', lambda match: f"#{ord(match[0])};", text)
