"""Backups, snapshots and databases encrypted with a KMS key, which nobody could read once it is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Client, sibling_client
from provisioner.engine.calls.error_categories import code_of, default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.names import name_of
from provisioner.service_clients import RDS, Backup, DynamoDB

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {
    "backup": ("ListRecoveryPointsByResource",),
    "dynamodb": ("DescribeBackup", "ListBackups"),
    "rds": ("DescribeDBClusterAutomatedBackups", "DescribeDBClusterSnapshots", "DescribeDBClusters"),
}


def data_encrypted_with(client: Client, key: str, suffix: str) -> Iterator[str]:
    """Yield a phrase for everything of Aurora, DynamoDB and AWS Backup that is encrypted with the key.

    Args:
        client: Client client of the key's region.
        key: The ARN of the key.
        suffix: The suffix of the stack.

    """
    yield from _databases(client, key)
    yield from _table_backups(client, key, suffix)
    yield from _recovery_points(client, key, suffix)


def _databases(client: Client, key: str) -> Iterator[str]:
    """Yield snapshots, clusters and automated backups; a cluster may come from a snapshot of the stack's."""
    rds = sibling_client(client, RDS)
    snapshots = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    clusters = rds.describe_db_clusters()["DBClusters"]
    reply: JsonObject = default_if_unsupported(rds.describe_db_cluster_automated_backups, {})
    automated_backups = reply.get("DBClusterAutomatedBackups", [])
    yield from _phrases("the snapshot {DBClusterSnapshotIdentifier}", snapshots, key)
    yield from _phrases("the database {DBClusterIdentifier}", clusters, key)
    yield from _phrases("the automated backups of {DBClusterIdentifier}", automated_backups, key)


def _phrases(template: str, resources: Sequence[JsonObject], key: str) -> Iterator[str]:
    """Yield a phrase for each of the resources that is encrypted with the key."""
    return (template.format(**resource) for resource in resources if resource.get("KmsKeyId") == key)


def _table_backups(client: Client, key: str, suffix: str) -> Iterator[str]:
    """Yield the table's backups under the key, with the one that DynamoDB makes as the table is deleted."""
    dynamodb = sibling_client(client, DynamoDB)
    table = name_of("sessions", suffix)
    for backup in dynamodb.list_backups(TableName=table, BackupType="ALL")["BackupSummaries"]:
        description = dynamodb.describe_backup(BackupArn=backup["BackupArn"])["BackupDescription"]
        encryption = (description.get("SourceTableFeatureDetails") or {}).get("SSEDescription") or {}
        if encryption.get("KMSMasterKeyArn") == key:
            yield f"the backup {backup['BackupName']} of {table}"


def _recovery_points(client: Client, key: str, suffix: str) -> Iterator[str]:
    """Yield the recovery points of AWS Backup under the key.

    A backup plan of the user's may have made them. They outlive the table or the cluster that they are of,
    and their vault may be encrypted with the stack's key.
    """
    _, partition, _, region, account, _ = key.split(":")
    table, cluster = name_of("sessions", suffix), name_of("aurora", suffix)
    for resource in (f"dynamodb:{region}:{account}:table/{table}", f"rds:{region}:{account}:cluster:{cluster}"):
        for point in _read_recovery_points(sibling_client(client, Backup), f"arn:{partition}:{resource}"):
            if point.get("EncryptionKeyArn") == key:
                yield f"the recovery point {point['RecoveryPointArn']} in the vault {point['BackupVaultName']}"


def _read_recovery_points(backup: Backup, resource: str) -> list[JsonObject]:
    """Return the recovery points that AWS Backup made of a resource; none where it knows no such resource."""
    list_points = partial(backup.list_recovery_points_by_resource, ResourceArn=resource, ManagedByAWSBackupOnly=True)
    try:
        reply: JsonObject = default_if_unsupported(list_points, {})
    except ClientError as error:
        # botocore backup ListRecoveryPointsByResource, errors
        if code_of(error) != "ResourceNotFoundException":
            raise
        return []
    return list(reply.get("RecoveryPoints", []))
