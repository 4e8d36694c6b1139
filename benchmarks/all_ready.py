"""The command line with every edge waiting until the resource is ready, to compare the times of runs.

Every deletion waits until the resources that need the deleted one are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from provisioner.commands.main import main
from provisioner.engine.estimates.critical_path import DeleteStage, Stage, create_graph, delete_graph
from provisioner.engine.execution import apply, deletion_order
from provisioner.engine.resource_graph.graph import Edge


def _stages(edges: Mapping[str, Iterable[Edge]]) -> dict[Stage, set[Stage]]:
    """Return the graph of creating resources with every edge waiting for readiness."""
    return create_graph({name: [replace(edge, ready=True) for edge in needs] for name, needs in edges.items()})


def _ends(needs: Mapping[str, Iterable[str]], may_overlap: Any) -> dict[DeleteStage, set[DeleteStage]]:  # noqa: ARG001
    """Return the graph of deleting resources, where each deletion waits until all that need it are gone."""
    return delete_graph(needs, lambda _name, _other: False)


if __name__ == "__main__":
    apply.create_graph = _stages  # type: ignore[attr-defined]
    deletion_order.delete_graph = _ends  # type: ignore[attr-defined,assignment]
    main()
