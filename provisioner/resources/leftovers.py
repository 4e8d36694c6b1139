"""Resources that AWS creates or keeps by itself: which ones a teardown deletes, and which ones remain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of, default_if_unsupported
from provisioner.engine.calls.retry_policy import call_with_retry
from provisioner.engine.execution.verification import Remnant
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import PROJECT, has_stack_tags
from provisioner.resources.dynamodb import Table
from provisioner.resources.ecs.cluster import Cluster
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.tasks import TaskDefinition
from provisioner.resources.kms import Key
from provisioner.resources.logs import LogGroup, group_named
from provisioner.resources.rds.aurora import DBCluster
from provisioner.resources.sns import PENDING, Topic
from provisioner.resources.tags import mapping

ALARM, REVISION, RETIRED = "TargetTrackingAlarm", "ActiveTaskDefinition", "InactiveTaskDefinition"
WRITTEN = "DatabaseLogGroup"
# USD per GiB and month in us-east-1 (aws.amazon.com/rds/aurora/pricing, backup storage); other regions
# differ.
SNAPSHOT_PRICE = 0.021
# USD a month (aws.amazon.com/kms/pricing); each of the first two rotations costs as much again.
KEY_PRICE = 1.0
# DynamoDB developer guide, point-in-time recovery: how long the last backup of a deleted table is kept, at no
# cost.
BACKUP_DAYS = 35
# How many names one call takes: botocore, DeleteAlarms 100 names, DeleteTaskDefinitions 10.
_ALARMS_A_CALL, _REVISIONS_A_CALL = 100, 10
_NONE: dict[str, Any] = {"BackupSummaries": []}

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


def find_leftovers(clients: Clients, stack: Stack, theirs: Set[str]) -> list[Remnant]:
    """Return resources that a deleted stack left behind: scaling alarms, task definition revisions, logs.

    Resources named after a declared resource in `theirs` are left out: that one is somebody else's by now.
    """
    return [*_alarms(clients, stack, theirs), *_revisions(clients, stack), *_logs(clients, stack, theirs)]


def delete_leftovers(clients: Clients, found: list[Remnant]) -> None:
    """Delete the resources that `strays` found; safe to repeat."""
    alarms = [one.id for one in found if one.what == ALARM]
    for some in _parts(alarms, _ALARMS_A_CALL):
        call_with_retry(clients, partial(clients.client("cloudwatch").delete_alarms, AlarmNames=some))
    for arn in (one.id for one in found if one.what == REVISION):
        call_with_retry(clients, partial(clients.client("ecs").deregister_task_definition, taskDefinition=arn))
    revisions = [one.id for one in found if one.what in (REVISION, RETIRED)]
    for some in _parts(revisions, _REVISIONS_A_CALL):
        call_with_retry(clients, partial(clients.client("ecs").delete_task_definitions, taskDefinitions=some))
    for name in (one.id for one in found if one.what == WRITTEN):
        _end_group(clients, name)


def protected(clients: Clients, stack: Stack, theirs: Set[str]) -> list[str]:
    """Return the log groups that `sweep` would delete and that AWS protects from deletion.

    Log groups that the stack declares are left out.
    """
    declared = {resource.props.get("logGroupName") for resource in stack}
    found = (one.id for one in _logs(clients, stack, theirs) if one.id not in declared)
    return [name for name in found if _is_protected(clients, name)]


def unprotect(clients: Clients, names: Iterable[str]) -> None:
    """Turn off the deletion protection of these log groups, as far as they still exist; safe to repeat."""
    logs = clients.client("logs")
    for name in names:
        if _is_protected(clients, name):
            off = {"logGroupIdentifier": name, "deletionProtectionEnabled": False}
            call_with_retry(clients, partial(logs.put_log_group_deletion_protection, **off))


def _is_protected(clients: Clients, name: str) -> bool:
    actual = group_named(clients.client("logs"), name)
    return bool(actual and actual.get("deletionProtectionEnabled"))


def _end_group(clients: Clients, name: str) -> None:
    """Delete a log group; ignore that it is gone, as the reply to an earlier deletion may have been lost."""
    try:
        call_with_retry(clients, partial(clients.client("logs").delete_log_group, logGroupName=name))
    except ClientError as error:
        if code_of(error) not in LogGroup.not_found_codes:
            raise


def _parts(names: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _named(stack: Stack, resource_type: type[ResourceType], without: Set[str] = frozenset()) -> list[str]:
    """Return the AWS names of all declared resources of a type, except the logical names in `without`."""
    return [
        resource.aws_name
        for resource in stack
        if type(resource.type) is resource_type and resource.logical_id not in without
    ]


def _alarms(clients: Clients, stack: Stack, theirs: Set[str]) -> Iterator[Remnant]:
    """Yield the alarms of target tracking, found by name: AWS names them after the scaled service."""
    cloudwatch = clients.client("cloudwatch")
    for cluster in _named(stack, Cluster, theirs):
        for service in _named(stack, Service, theirs):
            prefix = f"TargetTracking-service/{cluster}/{service}-"
            for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]:
                yield Remnant(ALARM, alarm["AlarmName"], f"of the scaling of {service}")


def _revisions(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the task definition revisions with the stack's tags, those kept for a rollback included.

    The families of services that are declared no longer are found with ListTaskDefinitionFamilies.
    """
    ecs = clients.client("ecs")
    listed = ecs.list_task_definition_families(familyPrefix=f"{PROJECT}-", status="ALL")["families"]
    alike = (name for name in listed if name.endswith(f"-{stack.suffix}"))
    for family in dict.fromkeys([*_named(stack, TaskDefinition), *alike]):
        for status, what in (("ACTIVE", REVISION), ("INACTIVE", RETIRED)):
            arns = ecs.list_task_definitions(familyPrefix=family, status=status)["taskDefinitionArns"]
            for arn in arns:
                found = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
                if has_stack_tags(mapping(found.get("tags", [])), stack.suffix):
                    yield Remnant(what, arn, f"an earlier revision of {family}")


def _logs(clients: Clients, stack: Stack, theirs: Set[str]) -> Iterator[Remnant]:
    """Yield the log groups that RDS created for exported logs; RDS deletes none of them."""
    for cluster in _named(stack, DBCluster, theirs):
        prefix = f"/aws/rds/cluster/{cluster}/"
        for group in clients.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            yield Remnant(WRITTEN, group["logGroupName"], f"logs that {cluster} exported")


def billed_leftovers(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the snapshots and keys that outlive the stack, and what they cost."""
    return [*_snapshots(clients, stack), *_keys(clients, stack)]


def _keys(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the keys of the stack that backups, snapshots or databases still need."""
    for resource in stack:
        if isinstance(resource.type, Key):
            kms = clients.client("kms", resource.region)
            found = resource.type.read(
                kms, ResourceSpec(resource.logical_id, resource.aws_name, stack.suffix, tags=resource.tags)
            )
            arn = found["Arn"] if found else ""
            if found and (
                why := resource.type.retention_reason(kms, ResourceSpec(resource.logical_id, "", stack.suffix, id=arn))
            ):
                end = f"aws kms schedule-key-deletion --key-id {arn} --region {kms.region}"
                told = f"the key {arn} for the sake of {why}, {KEY_PRICE:.2f} USD a month until `{end}`"
                yield Remnant("Key", arn, told)


def _snapshots(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the snapshots of the stack's databases, and what they cost at most; they are never deleted."""
    rds = clients.client("rds")
    found: list[Remnant] = []
    for cluster in _named(stack, DBCluster):
        only = [{"Name": "db-cluster-id", "Values": [cluster]}]
        listed = rds.describe_db_cluster_snapshots(Filters=only)["DBClusterSnapshots"]
        found += [Remnant("DBClusterSnapshot", one["DBClusterSnapshotArn"], _cost(one)) for one in listed]
    return found


def _cost(snapshot: dict[str, Any]) -> str:
    size = int(snapshot.get("AllocatedStorage") or 0)
    most = f", at most {size * SNAPSHOT_PRICE:.2f} USD a month" if size else ""
    name = snapshot["DBClusterSnapshotIdentifier"]
    return f"the snapshot {name}: {size} GiB at {SNAPSHOT_PRICE} USD per GiB and month in us-east-1{most}"


def expiring_leftovers(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return what AWS keeps of a deleted stack for a limited time, and until when."""
    return [*_backups(clients, stack), *_unconfirmed(clients, stack)]


def _unconfirmed(clients: Clients, stack: Stack) -> Iterator[Remnant]:
    """Yield the subscriptions that nobody confirmed: they outlive their topic, and cannot be deleted."""
    topics = [resource for resource in stack if type(resource.type) is Topic]
    for region in dict.fromkeys(resource.lives_in for resource in topics):
        names = {resource.aws_name for resource in topics if resource.lives_in == region}
        for one in clients.client("sns", region).list_subscriptions()["Subscriptions"]:
            ours = one["TopicArn"].rpartition(":")[2] in names
            if ours and one["SubscriptionArn"] == PENDING:
                why = f"{one['Endpoint']} never confirmed it, and SNS forgets it within 48 hours"
                yield Remnant("Subscription", one["TopicArn"], why)


def _backups(clients: Clients, stack: Stack) -> list[Remnant]:
    """Return the last backups that DynamoDB keeps of the stack's tables, and until when."""
    dynamodb = clients.client("dynamodb")
    found: list[Remnant] = []
    for table in _named(stack, Table):
        ask = partial(dynamodb.list_backups, TableName=table, BackupType="SYSTEM")
        listed = default_if_unsupported(ask, _NONE)["BackupSummaries"]
        why = f"DynamoDB keeps the last state of {table}, at no cost"
        found += [Remnant("Backup", one["BackupArn"], why, _until(one)) for one in listed]
    return found


def _until(backup: dict[str, Any]) -> str:
    """Return the time at which a backup expires, as ISO 8601 text."""
    born: datetime = backup["BackupCreationDateTime"]
    end: datetime = backup.get("BackupExpiryDateTime") or born + timedelta(days=BACKUP_DAYS)
    return end.isoformat(timespec="minutes")
