"""Check of the database instances that a plan deletes: whether the current writer is one of them."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.plan import Plan
from provisioner.preflight.finding import Finding


def database(made: Plan) -> Iterator[Finding]:
    """Yield a warning for each writer that the plan deletes while another instance stays; makes no call.

    It is only a warning, as AWS promotes an instance that stays by itself, within a minute (Aurora user
    guide, fault tolerance).
    """
    going = {one.id: one for one in made.changes.values() if (one.verb, one.kind) == ("delete", "DBInstance")}
    for cluster in (
        made.docs[resource.logical_id] for resource in made.stack if _is_cluster(made, resource.logical_id)
    ):
        members = cluster.get("DBClusterMembers", [])
        stays = [one["DBInstanceIdentifier"] for one in members if one["DBInstanceIdentifier"] not in going]
        for one in members:
            change = going.get(one["DBInstanceIdentifier"])
            if one["IsClusterWriter"] and change and stays:
                command = (
                    f"aws rds failover-db-cluster --db-cluster-identifier {cluster['DBClusterIdentifier']} "
                    f"--target-db-instance-identifier {stays[0]} --region {made.stack.region}"
                )
                yield Finding(
                    f"{change.piece}/{change.node}",
                    f"{change.id} is the writer since a failover: with its end {stays[0]} takes over, "
                    "and nothing can be written for up to a minute",
                    f"To choose the minute: `{command}`, then run the same command again.",
                    blocks=False,
                )


def _is_cluster(made: Plan, name: str) -> bool:
    """Return whether a declared resource is a database cluster that exists."""
    return str(made.stack.resources[name].type) == "DBCluster" and name in made.docs
