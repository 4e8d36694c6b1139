"""Check of the database instances that a plan deletes: whether the current writer is one of them."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.planning.plan import Plan
from provisioner.preflight.finding import Finding


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
