"""The databases that use a group, and whether they will let go of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.kinds.tags import mapping
from provisioner.names import bears, name_of

# What `databases` asks, for `calls`.
ASKED = "DescribeDBClusters DescribeDBInstances"


def databases(rds: Any, suffix: str, uses: Callable[[Doc], bool]) -> list[Holder]:
    """DescribeDBClusters, DescribeDBInstances: the clusters, and the instances outside of any."""
    clusters = rds.describe_db_clusters()["DBClusters"]
    alone = [one for one in rds.describe_db_instances()["DBInstances"] if not one.get("DBClusterIdentifier")]
    return [_holder(one, suffix) for one in (*clusters, *alone) if uses(one)]


def _holder(database: Doc, suffix: str) -> Holder:
    """One that was restored from a snapshot of ours may bear our tags; our name it cannot."""
    name = str(database.get("DBClusterIdentifier") or database["DBInstanceIdentifier"])
    status = database.get("Status") or database.get("DBInstanceStatus")
    is_ours = name == name_of("aurora", suffix) and bears(mapping(database.get("TagList") or []), suffix)
    return Holder(f"the database {name}", is_ours or status == "deleting")
