"""Targets of a target group that are no tasks of the stack's cluster, but get requests meant for its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.service_clients import ECS

if TYPE_CHECKING:
    from types_boto3_ecs.literals import DesiredStatusType

# The calls of this module, by service: `policy` grants them.
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}
# botocore ecs DescribeTasks: the most tasks in one call.
_MAX_TASKS = 100
_DESIRED_STATUSES: tuple[DesiredStatusType, ...] = ("RUNNING", "STOPPED")
# A target that is being registered or deregistered (botocore elbv2, TargetHealthStateEnum). ECS may register
# a task before the eventually consistent ListTasks returns it, and a draining target needs no removal.
_TRANSIENT_STATES = frozenset({"initial", "draining", "unhealthy.draining"})
# botocore ecs Attachment: the details of an ElasticNetworkInterface that hold an address.
_ADDRESS_DETAILS = ("privateIPv4Address", "privateIPv6Address")


def foreign_targets(ecs: ECS, cluster: str, listed: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the targets that belong to no task of the cluster (ListTasks, DescribeTasks).

    ECS describes a stopped task for another hour, so a stopped task that is still registered is recognised.
    If the addresses of the tasks are not all known, it cannot be decided and nothing is returned.

    Args:
        ecs: The ECS client.
        cluster: The name of the cluster.
        listed: Targets as DescribeTargetHealth returns them.

    """
    foreign = [target for target in listed if target["TargetHealth"]["State"] not in _TRANSIENT_STATES]
    for desired_status in _DESIRED_STATUSES:
        if not foreign:
            break
        addresses = _task_addresses(ecs, cluster, desired_status)
        if addresses is None:
            return []
        foreign = [target for target in foreign if target["Target"]["Id"] not in addresses]
    return foreign


def describe_target(target: JsonObject) -> str:
    """Return a target as "address:port"."""
    return f"{target['Id']}:{target['Port']}" if "Port" in target else str(target["Id"])


def _task_addresses(ecs: ECS, cluster: str, desired_status: DesiredStatusType) -> set[str] | None:
    """Return the IP addresses of the tasks with this desired status (ListTasks, DescribeTasks).

    None if the cluster is missing, a task cannot be described, or a running task has no address yet.
    """
    try:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=desired_status)["taskArns"]
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return None
    addresses: set[str] = set()
    for start in range(0, len(arns), _MAX_TASKS):
        reply = ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + _MAX_TASKS])
        if reply.get("failures"):
            return None
        for task in reply["tasks"]:
            own_addresses = set(_addresses_of(task))
            if not own_addresses and task.get("lastStatus") == "RUNNING":
                return None
            addresses |= own_addresses
    return addresses


def _addresses_of(task: JsonObject) -> Iterator[str]:
    """Yield the IP addresses of a task's network interfaces."""
    for attachment in task.get("attachments", []):
        details = attachment.get("details", [])
        yield from (detail["value"] for detail in details if detail.get("name") in _ADDRESS_DETAILS)
