"""Check of the images of a plan's tasks in private ECR registries: whether a task could pull each."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.preflight.ecr import Pullable, look
from provisioner.preflight.finding import Finding
from provisioner.settings.images import images_of


def images(plan: Plan, clients: Clients, account: str) -> Iterator[Finding]:
    """Yield the images that no task could pull, and new images about which ECR did not answer.

    Such an image blocks a task definition that is to be created. For an existing task definition it is a
    warning: running tasks go on, but no further task can start.
    """
    has_nat = any(str(resource.type) == "NatGateway" for resource in plan.stack)
    for resource in plan.stack:
        change = plan.changes.get(resource.logical_id)
        if change and str(resource.type) == "TaskDefinition":
            is_new = change.action in ("create", "replace", "update")
            for image in dict.fromkeys(images_of(resource.props)):
                found = look(clients, image, account, has_way_out=has_nat)
                if found and (found.blocks or (is_new and found.what)):
                    yield _finding(resource, found, blocks=is_new and found.blocks)


def _finding(resource: Resource, found: Pullable, *, blocks: bool) -> Finding:
    return Finding(
        f"{resource.step}/{resource.logical_id}", found.clause, found.hint if found.blocks else "", blocks=blocks
    )
