"""Output of the declared graph, as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

from provisioner.engine.resource_graph.graph import Edge, Resource, Stack
from provisioner.engine.resource_graph.references import resolve
from provisioner.engine.resource_graph.sensitive import mask
from provisioner.terminal.console import Console
from provisioner.terminal.fitting import shorten_end
from provisioner.terminal.plan import describe_resources

_MAX_WIDTH = 100


def show_graph(console: Console, stack: Stack) -> None:
    """Print each declared resource with its properties and the resources that it depends on."""
    if console.as_json:
        resources = [_resource_json(resource) for resource in stack]
        console.record(
            "graph", suffix=stack.suffix, region=stack.region, nodes=resources, outputs=declared_outputs(stack)
        )
        return
    for resource in stack:
        console.item(
            f"  {console.paint('+', 'green')} {resource.step}/{resource.logical_id}: {resource.type} "
            f"{resource.aws_name}".rstrip()
        )
        for key, value in resource.props.items():
            console.item(f"      {key}: {_format_value(value)}")
        if resource.edges:
            console.text(f"      after {', '.join(_describe_edge(edge) for edge in strictest_edges(resource))}")
    roles = sum(resource.type.account_wide for resource in stack)
    count = describe_resources(len(stack.resources) - roles, roles)
    console.text(f"{count} declared in {len({resource.step for resource in stack})} steps.")


def declared_outputs(stack: Stack) -> dict[str, str]:
    """Return the outputs of the stack, with placeholders for values that are not known before an apply."""
    return {name: _format_value(value) for name, value in stack.outputs.items()}


def resources_by_step(stack: Stack) -> dict[str, list[Resource]]:
    """Return the resources of each step, in the order of declaration."""
    by_step: dict[str, list[Resource]] = {}
    for resource in stack:
        by_step.setdefault(resource.step, []).append(resource)
    return by_step


def strictest_edges(resource: Resource) -> list[Edge]:
    """Return one edge for each resource that this one depends on.

    Of several edges to the same resource, that is the one that waits for readiness, if any does.
    """
    edge_to = {edge.to: edge for edge in sorted(resource.edges, key=lambda edge: edge.ready)}
    return [edge_to[name] for name in resource.depends_on]


def _describe_edge(edge: Edge) -> str:
    """Return an edge as text, with the reason if it waits for readiness."""
    return f"{edge.to} (ready: {edge.reason})" if edge.ready else edge.to


def _format_value(value: Any) -> str:
    """Return a value as text, shortened to the greatest width."""
    printable = _printable(value)
    return shorten_end(printable if isinstance(printable, str) else json.dumps(printable, default=str), _MAX_WIDTH)


def _printable(value: Any) -> Any:
    """Return the value with the name of each reference in its place, and sensitive values masked."""
    return mask(resolve(value, lambda ref: f"<{ref}>"))


def _resource_json(resource: Resource) -> dict[str, Any]:
    """Return one resource for the JSON output."""
    return {
        "node": resource.logical_id,
        "piece": resource.step,
        "kind": str(resource.type),
        "name": resource.aws_name,
        "region": resource.region,
        "properties": _printable(resource.props),
        "tags": dict(resource.tags),
        "after": [{"node": edge.to, "ready": edge.ready, "because": edge.reason} for edge in strictest_edges(resource)],
    }
