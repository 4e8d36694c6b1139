"""Reads of the database and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.check import JsonObject, ReadResult
from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.preflight.aurora import standard_support_end
from provisioner.service_clients import RDS, DynamoDB
from provisioner.settings.postgres import STANDARD_SUPPORT_ENDS, day_of, is_support_end_near, major_of

# The calls of this module by service; `policy` grants them.
CALLS = {
    "rds": ("DescribeDBClusters", "DescribeDBInstances", "DescribeDBSubnetGroups"),
    "dynamodb": ("DescribeTable ml-api-sessions-{suffix}",),
}
_NO_CLUSTER = ("DBClusterNotFoundFault", "DBClusterNotFound")
_NO_GROUP = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
_NO_TABLE = ("ResourceNotFoundException",)


def read_db_cluster(context: DoctorContext) -> ReadResult:
    """Return the database cluster, found by name (DescribeDBClusters)."""
    name = context.aws_name("aurora")
    rds = context.clients.client(RDS)
    clusters = default_on_codes(
        _NO_CLUSTER, lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"], []
    )
    return ReadResult(f"database cluster {name}", next(iter(clusters), None))


def read_end_of_support(context: DoctorContext) -> date | None:
    """Return the last day of the standard support of the cluster's version; None if AWS does not tell it.

    AWS is asked if the built-in date is near, or if there is no built-in date.
    """
    version = str(read_db_cluster(context).found["EngineVersion"])
    built_in = STANDARD_SUPPORT_ENDS.get(major_of(version))
    is_known_and_far = built_in is not None and not is_support_end_near(built_in, day_of(context.now))
    return built_in if is_known_and_far else standard_support_end(context.clients, version)


def read_db_instances(context: DoctorContext) -> list[JsonObject]:
    """Return the instances of the cluster (DescribeDBInstances)."""
    rds = context.clients.client(RDS)
    cluster = read_db_cluster(context).found["DBClusterIdentifier"]
    return list(rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [cluster]}])["DBInstances"])


def read_db_subnet_group(context: DoctorContext) -> ReadResult:
    """Return the subnet group of the cluster (DescribeDBSubnetGroups)."""
    name = read_db_cluster(context).found["DBSubnetGroup"]
    rds = context.clients.client(RDS)
    groups = default_on_codes(
        _NO_GROUP, lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"], []
    )
    return ReadResult(f"database subnet group {name}", next(iter(groups), None))


def read_session_table(context: DoctorContext) -> ReadResult:
    """Return the session table, found by name (DescribeTable)."""
    name = context.aws_name("sessions")
    dynamodb = context.clients.client(DynamoDB)
    table = default_on_codes(_NO_TABLE, lambda: dynamodb.describe_table(TableName=name)["Table"])
    return ReadResult(f"table {name}", table)
