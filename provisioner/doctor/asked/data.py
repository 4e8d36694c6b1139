"""Reads of the database and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless
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


def cluster(p: Patient) -> Sought:
    """Return the database cluster, found by name (DescribeDBClusters)."""
    name = p.named("aurora")
    rds = p.clients.client("rds")
    found = unless(_NO_CLUSTER, lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"], [])
    return Sought(f"database cluster {name}", next(iter(found), None))


def support(p: Patient) -> date | None:
    """Return the last day of the standard support of the cluster's version; None if AWS does not tell it.

    AWS is asked if the built-in date is near, or if there is no built-in date.
    """
    version = str(cluster(p).found["EngineVersion"])
    known = STANDARD_ENDS.get(major_of(version))
    is_far = known is not None and not is_near(known, day_of(p.now))
    return known if is_far else standard_end(p.clients, version)


def instances(p: Patient) -> list[Doc]:
    """Return the instances of the cluster (DescribeDBInstances)."""
    rds = p.clients.client("rds")
    asked = [{"Name": "db-cluster-id", "Values": [cluster(p).found["DBClusterIdentifier"]]}]
    return list(rds.describe_db_instances(Filters=asked)["DBInstances"])


def subnet_group(p: Patient) -> Sought:
    """Return the subnet group of the cluster (DescribeDBSubnetGroups)."""
    name = cluster(p).found["DBSubnetGroup"]
    rds = p.clients.client("rds")
    found = unless(_NO_GROUP, lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"], [])
    return Sought(f"database subnet group {name}", next(iter(found), None))


def table(p: Patient) -> Sought:
    """Return the session table, found by name (DescribeTable)."""
    name = p.named("sessions")
    dynamodb = p.clients.client("dynamodb")
    doc = unless(_NO_TABLE, lambda: dynamodb.describe_table(TableName=name)["Table"])
    return Sought(f"table {name}", doc)
