"""The databases that use a subnet group or parameter group, and so block its deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.names import has_stack_tags, name_of
from provisioner.resources.tags import mapping

# The AWS operations that `databases` calls, for `calls`.
ASKED = "DescribeDBClusters DescribeDBInstances"


def databases(rds: Any, suffix: str, uses: Callable[[JsonObject], bool]) -> list[Blocker]:
    """Return the clusters, and the instances outside of any cluster, that use a group, as blockers.

    Args:
        rds: The RDS client.
        suffix: The suffix of the stack.
        uses: Whether a database, as AWS describes it, uses the group.

    """
    clusters = rds.describe_db_clusters()["DBClusters"]
    alone = [one for one in rds.describe_db_instances()["DBInstances"] if not one.get("DBClusterIdentifier")]
    return [_holder(one, suffix) for one in (*clusters, *alone) if uses(one)]


def _holder(database: JsonObject, suffix: str) -> Blocker:
    """Return a database as a blocker, temporary if it is the stack's own or is being deleted.

    The stack's own is known by name and tags: a database restored from a snapshot of it may have its tags,
    but cannot have its name.
    """
    name = str(database.get("DBClusterIdentifier") or database["DBInstanceIdentifier"])
    status = database.get("Status") or database.get("DBInstanceStatus")
    is_ours = name == name_of("aurora", suffix) and has_stack_tags(mapping(database.get("TagList") or []), suffix)
    return Blocker(f"the database {name}", is_ours or status == "deleting")
