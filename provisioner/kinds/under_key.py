"""What was made under a key and outlives the stack: it could be read never more once the key has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.refs import Doc
from provisioner.names import name_of

# What is asked here, by service: `policy` grants it.
CALLS = {
    "dynamodb": ("DescribeBackup", "ListBackups"),
    "rds": ("DescribeDBClusterAutomatedBackups", "DescribeDBClusterSnapshots", "DescribeDBClusters"),
}


def made_under(client: Any, key: str, suffix: str) -> Iterator[str]:
    """Whatever Aurora and DynamoDB keep under the key of this ARN, in words."""
    yield from _databases(client, key)
    yield from _backups(client, key, suffix)


def _databases(client: Any, key: str) -> Iterator[str]:
    """Clusters too: one may have been restored from a snapshot of ours."""
    rds = beside(client, "rds")
    snapshots = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    clusters = rds.describe_db_clusters()["DBClusters"]
    retained = rds.describe_db_cluster_automated_backups()["DBClusterAutomatedBackups"]
    yield from _named("the snapshot {DBClusterSnapshotIdentifier}", snapshots, key)
    yield from _named("the database {DBClusterIdentifier}", clusters, key)
    yield from _named("the automated backups of {DBClusterIdentifier}", retained, key)


def _named(form: str, listed: list[Doc], key: str) -> Iterator[str]:
    return (form.format(**one) for one in listed if one.get("KmsKeyId") == key)


def _backups(client: Any, key: str, suffix: str) -> Iterator[str]:
    """Of every sort: DynamoDB itself keeps the last state of a table that could be restored."""
    dynamodb = beside(client, "dynamodb")
    table = name_of("sessions", suffix)
    for one in dynamodb.list_backups(TableName=table, BackupType="ALL")["BackupSummaries"]:
        told = dynamodb.describe_backup(BackupArn=one["BackupArn"])["BackupDescription"]
        under = (told.get("SourceTableFeatureDetails") or {}).get("SSEDescription") or {}
        if under.get("KMSMasterKeyArn") == key:
            yield f"the backup {one['BackupName']} of {table}"
