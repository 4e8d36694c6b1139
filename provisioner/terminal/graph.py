"""Output of the declared graph, as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

from provisioner.engine.graph import Edge, Node, Stack
from provisioner.engine.private import masked
from provisioner.engine.refs import resolve
from provisioner.terminal.say import Say

_WIDEST = 100


def show_graph(say: Say, stack: Stack) -> None:
    """Print each declared resource with its properties and the resources that it depends on."""
    if say.as_json:
        nodes = [_record(node) for node in stack]
        say.record("graph", suffix=stack.suffix, region=stack.region, nodes=nodes, outputs=outputs(stack))
        return
    for node in stack:
        say.data(f"  {say.paint('+', 'green')} {node.piece}/{node.name}: {node.kind} {node.aws_name}".rstrip())
        for key, value in node.props.items():
            say.data(f"      {key}: {_told(value)}")
        if node.edges:
            say.data(f"      after {', '.join(_edge(edge) for edge in strictest(node))}")
    say.data(f"{len(stack.nodes)} resources declared in {len({node.piece for node in stack})} pieces.")


def outputs(stack: Stack) -> dict[str, str]:
    """Return the outputs of the stack, with placeholders for values that are not known before an apply."""
    return {name: _told(value) for name, value in stack.outputs.items()}


def by_piece(stack: Stack) -> dict[str, list[Node]]:
    """Return the resources of each step, in the order of declaration."""
    pieces: dict[str, list[Node]] = {}
    for node in stack:
        pieces.setdefault(node.piece, []).append(node)
    return pieces


def strictest(node: Node) -> list[Edge]:
    """Return one edge for each resource that this one depends on.

    Of several edges to the same resource, that is the one that waits for readiness, if any does.
    """
    strictest = {edge.to: edge for edge in sorted(node.edges, key=lambda edge: edge.ready)}
    return [strictest[name] for name in node.needs]


def _edge(edge: Edge) -> str:
    """Return an edge as text, with the reason if it waits for readiness."""
    return f"{edge.to} (ready: {edge.because})" if edge.ready else edge.to


def _told(value: Any) -> str:
    """Return a value as text, shortened to the greatest width."""
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, default=str)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _plain(value: Any) -> Any:
    """Return the value with the name of each reference in its place, and sensitive values masked."""
    return masked(resolve(value, lambda ref: f"<{ref}>"))


def _record(node: Node) -> dict[str, Any]:
    """Return one resource for the JSON output."""
    return {
        "node": node.name,
        "piece": node.piece,
        "kind": str(node.kind),
        "name": node.aws_name,
        "region": node.region,
        "properties": _plain(node.props),
        "tags": dict(node.tags),
        "after": [{"node": one.to, "ready": one.ready, "because": one.because} for one in strictest(node)],
    }
