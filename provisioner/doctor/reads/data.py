"""Reads of the database and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.finding import JsonObject, ReadResult
from provisioner.preflight.support import standard_end
from provisioner.settings.postgres import STANDARD_ENDS, day_of, is_near, major_of

# The calls of this module by service; `policy` grants them.
CALLS = {
    "rds": ("DescribeDBClusters", "DescribeDBInstances", "DescribeDBSubnetGroups"),
    "dynamodb": ("DescribeTable ml-api-sessions-{suffix}",),
}
_NO_CLUSTER = ("DBClusterNotFoundFault", "DBClusterNotFound")
_NO_GROUP = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
_NO_TABLE = ("ResourceNotFoundException",)


def cluster(context: DoctorContext) -> ReadResult:
    """Return the database cluster, found by name (DescribeDBClusters)."""
    name = context.aws_name("aurora")
    rds = context.clients.client("rds")
    found = default_on_codes(_NO_CLUSTER, lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"], [])
    return ReadResult(f"database cluster {name}", next(iter(found), None))


def support(context: DoctorContext) -> date | None:
    """Return the last day of the standard support of the cluster's version; None if AWS does not tell it.

    AWS is asked if the built-in date is near, or if there is no built-in date.
    """
    version = str(cluster(context).found["EngineVersion"])
    known = STANDARD_ENDS.get(major_of(version))
    is_far = known is not None and not is_near(known, day_of(context.now))
    return known if is_far else standard_end(context.clients, version)


def instances(context: DoctorContext) -> list[JsonObject]:
    """Return the instances of the cluster (DescribeDBInstances)."""
    rds = context.clients.client("rds")
    asked = [{"Name": "db-cluster-id", "Values": [cluster(context).found["DBClusterIdentifier"]]}]
    return list(rds.describe_db_instances(Filters=asked)["DBInstances"])


def subnet_group(context: DoctorContext) -> ReadResult:
    """Return the subnet group of the cluster (DescribeDBSubnetGroups)."""
    name = cluster(context).found["DBSubnetGroup"]
    rds = context.clients.client("rds")
    found = default_on_codes(
        _NO_GROUP, lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"], []
    )
    return ReadResult(f"database subnet group {name}", next(iter(found), None))


def table(context: DoctorContext) -> ReadResult:
    """Return the session table, found by name (DescribeTable)."""
    name = context.aws_name("sessions")
    dynamodb = context.clients.client("dynamodb")
    doc = default_on_codes(_NO_TABLE, lambda: dynamodb.describe_table(TableName=name)["Table"])
    return ReadResult(f"table {name}", doc)
