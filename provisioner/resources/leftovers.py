"""Resources that AWS creates or keeps by itself: which ones a teardown deletes, and which ones remain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of, default_if_unsupported
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.execution.teardown_verification import Remnant
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.dynamodb import Table
from provisioner.resources.ecs.cluster import Cluster
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.task_definitions import TaskDefinition
from provisioner.resources.kms import Key
from provisioner.resources.logs import LogGroup, find_log_group
from provisioner.resources.rds.aurora import DBCluster
from provisioner.resources.sns import PENDING_CONFIRMATION, Topic
from provisioner.resources.tags import mapping
from provisioner.service_clients import ECS, KMS, RDS, SNS, CloudWatch, CloudWatchLogs, DynamoDB

if TYPE_CHECKING:
    from types_boto3_ecs.literals import TaskDefinitionStatusType

ALARM, ACTIVE_REVISION, INACTIVE_REVISION = "TargetTrackingAlarm", "ActiveTaskDefinition", "InactiveTaskDefinition"
EXPORTED_LOGS = "DatabaseLogGroup"
# USD per GiB and month in us-east-1 (aws.amazon.com/rds/aurora/pricing, backup storage); other regions
# differ.
SNAPSHOT_PRICE = 0.021
# USD a month (aws.amazon.com/kms/pricing); each of the first two rotations costs as much again.
KEY_PRICE = 1.0
# DynamoDB developer guide, point-in-time recovery: how long the last backup of a deleted table is kept, at no
# cost.
BACKUP_DAYS = 35
# How many names one call takes: botocore, DeleteAlarms 100 names, DeleteTaskDefinitions 10.
_ALARMS_PER_CALL, _REVISIONS_PER_CALL = 100, 10
_REVISION_TYPES: dict[TaskDefinitionStatusType, str] = {"ACTIVE": ACTIVE_REVISION, "INACTIVE": INACTIVE_REVISION}
_NO_BACKUPS: JsonObject = {"BackupSummaries": []}

# The AWS operations that this module calls, by service, with patterns for the names of resources that are
# changed: `policy` grants them.
CALLS = {
    "cloudwatch": ("DescribeAlarms", "DeleteAlarms TargetTracking-service/ml-api-cluster-{suffix}/*"),
    "dynamodb": ("ListBackups",),
    "ecs": (
        "DeleteTaskDefinitions ml-api-*taskdef*-{suffix}",
        "DeregisterTaskDefinition",
        "DescribeTaskDefinition",
        "ListTaskDefinitionFamilies",
        "ListTaskDefinitions",
    ),
    "logs": (
        "DescribeLogGroups",
        "DeleteLogGroup /aws/rds/cluster/ml-api-aurora-{suffix}/*",
        "PutLogGroupDeletionProtection /aws/rds/cluster/ml-api-aurora-{suffix}/*",
    ),
    "rds": ("DescribeDBClusterSnapshots",),
    "sns": ("ListSubscriptions",),
}


def find_leftovers(clients: Clients, stack: Stack, foreign_ids: Set[str]) -> list[Remnant]:
    """Return resources that a deleted stack left behind: scaling alarms, task definition revisions, logs.

    `foreign_ids` are the logical ids of declared resources whose names somebody else's resources have by now:
    what AWS named after them is left out.
    """
    alarms, logs = _scaling_alarms(clients, stack, foreign_ids), _exported_logs(clients, stack, foreign_ids)
    return [*alarms, *_task_definition_revisions(clients, stack), *logs]


def delete_leftovers(clients: Clients, remnants: list[Remnant]) -> None:
    """Delete the resources that `find_leftovers` found; safe to repeat."""
    alarms = [remnant.id for remnant in remnants if remnant.what == ALARM]
    for batch in _batches(alarms, _ALARMS_PER_CALL):
        call_with_retry(clients, partial(clients.client(CloudWatch).delete_alarms, AlarmNames=batch))
    for arn in (remnant.id for remnant in remnants if remnant.what == ACTIVE_REVISION):
        call_with_retry(clients, partial(clients.client(ECS).deregister_task_definition, taskDefinition=arn))
    revisions = [remnant.id for remnant in remnants if remnant.what in (ACTIVE_REVISION, INACTIVE_REVISION)]
    for batch in _batches(revisions, _REVISIONS_PER_CALL):
        call_with_retry(clients, partial(clients.client(ECS).delete_task_definitions, taskDefinitions=batch))
    for name in (remnant.id for remnant in remnants if remnant.what == EXPORTED_LOGS):
        _delete_log_group(clients, name)


def protected_log_groups(clients: Clients, stack: Stack, foreign_ids: Set[str]) -> list[str]:
    """Return the log groups that `delete_leftovers` would delete and that AWS protects from deletion.

    Log groups that the stack declares are left out.
    """
    declared = {resource.props.get("logGroupName") for resource in stack}
    names = (remnant.id for remnant in _exported_logs(clients, stack, foreign_ids))
    return [name for name in names if name not in declared and _is_protected(clients, name)]


def unprotect_log_groups(clients: Clients, names: Iterable[str]) -> None:
    """Turn off the deletion protection of these log groups, as far as they still exist; safe to repeat."""
    logs = clients.client(CloudWatchLogs)
    for name in names:
        if _is_protected(clients, name):
            unprotect = partial(logs.put_log_group_deletion_protection, logGroupIdentifier=name)
            call_with_retry(clients, partial(unprotect, deletionProtectionEnabled=False))


def _is_protected(clients: Clients, name: str) -> bool:
    actual = find_log_group(clients.client(CloudWatchLogs), name)
    return bool(actual and actual.get("deletionProtectionEnabled"))


def _delete_log_group(clients: Clients, name: str) -> None:
    """Delete a log group; ignore that it is gone, as the reply to an earlier deletion may have been lost."""
    try:
        call_with_retry(clients, partial(clients.client(CloudWatchLogs).delete_log_group, logGroupName=name))
    except ClientError as error:
        if code_of(error) not in LogGroup.not_found_codes:
            raise


def _batches(names: list[str], size: int) -> Iterator[list[str]]:
    """Yield the names in lists of at most `size`."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _aws_names(stack: Stack, resource_type: type[ResourceType], excluded_ids: Set[str] = frozenset()) -> list[str]:
    """Return the AWS names of all declared resources of a type, except the logical names in `excluded_ids`."""
    return [
        resource.aws_name
        for resource in stack
        if type(resource.type) is resource_type and resource.logical_id not in excluded_ids
    ]


def _scaling_alarms(clients: Clients, stack: Stack, foreign_ids: Set[str]) -> Iterator[Remnant]:
    """Yield the alarms of target tracking, found by name: AWS names them after the scaled service."""
    cloudwatch = clients.client(CloudWatch)
    services = _aws_names(stack, Service, foreign_ids)
    for cluster in _aws_names(stack, Cluster, foreign_ids):
        prefix = f"TargetTracking-service/{cluster}/"
        for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]:
            for service in services:
                if alarm["AlarmName"].startswith(f"{prefix}{service}-"):
                    yield Remnant(ALARM, alarm["AlarmName"], f"of the scaling of {service}")


def _task_definition_revisions(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the task definition revisions with the stack's tags, those kept for a rollback included.

    ListTaskDefinitionFamilies returns each family with an active or inactive revision, also those of services that
    are declared no longer; a family that it leaves out has none to look at.
    """
    ecs = clients.client(ECS)
    families = ecs.list_task_definition_families(familyPrefix=f"{PROJECT}-", status="ALL")["families"]
    declared = _aws_names(stack, TaskDefinition)
    for family in (name for name in families if name in declared or name.endswith(f"-{stack.suffix}")):
        for status, remnant_type in _REVISION_TYPES.items():
            arns = ecs.list_task_definitions(familyPrefix=family, status=status)["taskDefinitionArns"]
            for arn in arns:
                reply = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
                if has_stack_tags(mapping(reply.get("tags", [])), stack.suffix):
                    yield Remnant(remnant_type, arn, f"an earlier revision of {family}")


def _exported_logs(clients: Clients, stack: Stack, foreign_ids: Set[str]) -> Iterator[Remnant]:
    """Yield the log groups that RDS created for exported logs; RDS deletes none of them."""
    for cluster in _aws_names(stack, DBCluster, foreign_ids):
        prefix = f"/aws/rds/cluster/{cluster}/"
        for group in clients.client(CloudWatchLogs).describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            yield Remnant(EXPORTED_LOGS, group["logGroupName"], f"logs that {cluster} exported")


def billed_leftovers(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the snapshots and keys that outlive the stack, and what they cost."""
    return [*_snapshots(clients, stack), *_needed_keys(clients, stack)]


def _needed_keys(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the keys of the stack that backups, snapshots or databases still need."""
    for resource in stack:
        if isinstance(resource.type, Key):
            kms = clients.client(KMS, resource.region)
            spec = ResourceSpec(resource.logical_id, resource.aws_name, stack.suffix, tags=resource.tags)
            arn = str((resource.type.read(kms, spec) or {}).get("Arn", ""))
            reason = resource.type.retention_reason(kms, replace(spec, id=arn)) if arn else ""
            if reason:
                command = f"aws kms schedule-key-deletion --key-id {arn} --region {kms.region}"
                description = f"the key {arn} for the sake of {reason}, {KEY_PRICE:.2f} USD a month until `{command}`"
                yield Remnant("Key", arn, description)


def _snapshots(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the snapshots of the stack's databases, and what they cost at most; they are never deleted."""
    rds = clients.client(RDS)
    remnants: list[Remnant] = []
    for cluster in _aws_names(stack, DBCluster):
        reply = rds.describe_db_cluster_snapshots(Filters=[{"Name": "db-cluster-id", "Values": [cluster]}])
        for snapshot in reply["DBClusterSnapshots"]:
            arn = snapshot["DBClusterSnapshotArn"]
            remnants.append(Remnant("DBClusterSnapshot", arn, _describe_snapshot(snapshot)))
    return remnants


def _describe_snapshot(snapshot: JsonObject) -> str:
    """Describe a snapshot with its size and what it costs at most."""
    size = int(snapshot.get("AllocatedStorage") or 0)
    cost = f", at most {size * SNAPSHOT_PRICE:.2f} USD a month" if size else ""
    name = snapshot["DBClusterSnapshotIdentifier"]
    return f"the snapshot {name}: {size} GiB at {SNAPSHOT_PRICE} USD per GiB and month in us-east-1{cost}"


def expiring_leftovers(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return what AWS keeps of a deleted stack for a limited time, and until when."""
    return [*_last_backups(clients, stack), *_unconfirmed_subscriptions(clients, stack)]


def _unconfirmed_subscriptions(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the subscriptions that nobody confirmed: they outlive their topic, and cannot be deleted."""
    topics = [resource for resource in stack if type(resource.type) is Topic]
    for region in dict.fromkeys(resource.actual_region for resource in topics):
        names = {resource.aws_name for resource in topics if resource.actual_region == region}
        for subscription in clients.client(SNS, region).list_subscriptions()["Subscriptions"]:
            is_ours = subscription["TopicArn"].rpartition(":")[2] in names
            if is_ours and subscription["SubscriptionArn"] == PENDING_CONFIRMATION:
                description = f"{subscription['Endpoint']} never confirmed it, and SNS forgets it within 48 hours"
                yield Remnant("Subscription", subscription["TopicArn"], description)


def _last_backups(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the last backups that DynamoDB keeps of the stack's tables, and until when."""
    dynamodb = clients.client(DynamoDB)
    remnants: list[Remnant] = []
    for table in _aws_names(stack, Table):
        list_backups = partial(dynamodb.list_backups, TableName=table, BackupType="SYSTEM")
        backups = default_if_unsupported(list_backups, _NO_BACKUPS)["BackupSummaries"]
        description = f"DynamoDB keeps the last state of {table}, at no cost"
        remnants += [Remnant("Backup", backup["BackupArn"], description, _expiry_time(backup)) for backup in backups]
    return remnants


def _expiry_time(backup: JsonObject) -> str:
    """Return the time at which a backup expires, as ISO 8601 text."""
    created_at: datetime = backup["BackupCreationDateTime"]
    end: datetime = backup.get("BackupExpiryDateTime") or created_at + timedelta(days=BACKUP_DAYS)
    return end.isoformat(timespec="minutes")
