"""What would go wrong: changes that AWS refuses, images that no task can pull, the writer that goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.preflight.ecr import Pullable, check_image
from provisioner.settings.images import images_of


@dataclass(frozen=True)
class Finding:
    """A problem of a plan: the address of the resource, what is wrong, and what to do about it.

    If it does not block, it is a warning. `limit`, `used` and `needed` are the numbers behind it, if it has
    any.
    """

    address: str
    what: str
    hint: str = ""
    blocks: bool = True
    limit: float | None = None
    used: float | None = None
    needed: float | None = None


def refusals(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the reasons for which AWS would refuse an update; a reason that is uncertain is a warning."""
    for resource in plan.stack:
        change, doc = plan.changes[resource.logical_id], plan.actual.get(resource.logical_id)
        if change.action != "update" or doc is None:
            continue
        client = clients.client(resource.type.service, resource.region)
        with user_errors(f"asking what {resource.aws_name or resource.logical_id} refuses"):
            found = resource.type.refusals(client, doc, {one.top for one in change.differences})
        for one in found:
            yield Finding(f"{resource.step}/{resource.logical_id}", one.reason, one.hint, blocks=not one.uncertain)


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
                found = check_image(clients, image, account, has_way_out=has_nat)
                if found and (found.blocks or (is_new and found.what)):
                    yield _finding(resource, found, blocks=is_new and found.blocks)


def _finding(resource: Resource, found: Pullable, *, blocks: bool) -> Finding:
    return Finding(
        f"{resource.step}/{resource.logical_id}", found.clause, found.hint if found.blocks else "", blocks=blocks
    )


def database(plan: Plan) -> Iterator[Finding]:
    """Yield a warning for each writer that the plan deletes while another instance stays; makes no call.

    It is only a warning, as AWS promotes an instance that stays by itself, within a minute (Aurora user
    guide, fault tolerance).
    """
    going = {one.id: one for one in plan.changes.values() if (one.action, one.type_name) == ("delete", "DBInstance")}
    for cluster in (
        plan.actual[resource.logical_id] for resource in plan.stack if _is_cluster(plan, resource.logical_id)
    ):
        members = cluster.get("DBClusterMembers", [])
        stays = [one["DBInstanceIdentifier"] for one in members if one["DBInstanceIdentifier"] not in going]
        for one in members:
            change = going.get(one["DBInstanceIdentifier"])
            if one["IsClusterWriter"] and change and stays:
                command = (
                    f"aws rds failover-db-cluster --db-cluster-identifier {cluster['DBClusterIdentifier']} "
                    f"--target-db-instance-identifier {stays[0]} --region {plan.stack.region}"
                )
                yield Finding(
                    f"{change.step}/{change.logical_id}",
                    f"{change.id} is the writer since a failover: with its end {stays[0]} takes over, "
                    "and nothing can be written for up to a minute",
                    f"To choose the minute: `{command}`, then run the same command again.",
                    blocks=False,
                )


def _is_cluster(plan: Plan, name: str) -> bool:
    """Return whether a declared resource is a database cluster that exists."""
    return str(plan.stack.resources[name].type) == "DBCluster" and name in plan.actual
