"""The database, and the table beside it."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless

# What is asked here, by service: `policy` grants it.
CALLS = {
    "rds": ("DescribeDBClusters", "DescribeDBInstances", "DescribeDBSubnetGroups"),
    "dynamodb": ("DescribeTable ml-api-sessions-{suffix}",),
}
_NO_CLUSTER = ("DBClusterNotFoundFault", "DBClusterNotFound")
_NO_GROUP = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
_NO_TABLE = ("ResourceNotFoundException",)


def cluster(p: Patient) -> Sought:
    """DescribeDBClusters, by name."""
    name = p.named("aurora")
    rds = p.clients.client("rds")
    found = unless(_NO_CLUSTER, lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"], [])
    return Sought(f"database cluster {name}", next(iter(found), None))


def instances(p: Patient) -> list[Doc]:
    """DescribeDBInstances of the cluster."""
    rds = p.clients.client("rds")
    asked = [{"Name": "db-cluster-id", "Values": [cluster(p).found["DBClusterIdentifier"]]}]
    return list(rds.describe_db_instances(Filters=asked)["DBInstances"])


def subnet_group(p: Patient) -> Sought:
    """DescribeDBSubnetGroups: the one that the cluster is in."""
    name = cluster(p).found["DBSubnetGroup"]
    rds = p.clients.client("rds")
    found = unless(
        _NO_GROUP, lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"], []
    )
    return Sought(f"database subnet group {name}", next(iter(found), None))


def table(p: Patient) -> Sought:
    """DescribeTable, by name."""
    name = p.named("sessions")
    dynamodb = p.clients.client("dynamodb")
    doc = unless(_NO_TABLE, lambda: dynamodb.describe_table(TableName=name)["Table"])
    return Sought(f"table {name}", doc)
