"""Registered targets that are no tasks of the cluster but get requests meant for its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND

# The calls of this module, by service: `policy` grants them.
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}
# botocore ecs DescribeTasks: the most tasks in one call.
_MAX_TASKS = 100
# A target that is being registered or deregistered (botocore elbv2, TargetHealthStateEnum). ECS may register
# a task before the eventually consistent ListTasks returns it, and a draining target needs no removal.
_TRANSIENT_STATES = frozenset({"initial", "draining", "unhealthy.draining"})
# botocore ecs Attachment: the details of an ElasticNetworkInterface that hold an address.
_ADDRESS_DETAILS = ("privateIPv4Address", "privateIPv6Address")


def foreign_targets(ecs: Any, cluster: str, listed: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the targets that belong to no task of the cluster (ListTasks, DescribeTasks).

    ECS describes a stopped task for another hour, so a stopped task that is still registered is recognised.
    If a running task has no address yet, the answer is not certain and nothing is returned.

    Args:
        ecs: The ECS client.
        cluster: The name of the cluster.
        listed: Targets as DescribeTargetHealth returns them.

    """
    others = [one for one in listed if one["TargetHealth"]["State"] not in _TRANSIENT_STATES]
    for desired in ("RUNNING", "STOPPED"):
        if not others:
            break
        known = _task_addresses(ecs, cluster, desired)
        if known is None:
            return []
        others = [one for one in others if one["Target"]["Id"] not in known]
    return others


def describe_target(target: JsonObject) -> str:
    """Return a target as "address:port"."""
    return f"{target['Id']}:{target['Port']}" if "Port" in target else str(target["Id"])


def _task_addresses(ecs: Any, cluster: str, desired: str) -> set[str] | None:
    """Return the addresses of all tasks whose desired status is `desired`.

    None if the cluster is missing, or if a running task has no address yet.
    """
    try:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=desired)["taskArns"]
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return None
    known: set[str] = set()
    for at in range(0, len(arns), _MAX_TASKS):
        answer = ecs.describe_tasks(cluster=cluster, tasks=arns[at : at + _MAX_TASKS])
        if answer.get("failures"):
            return None
        for task in answer["tasks"]:
            own = set(_addresses_of(task))
            if not own and task.get("lastStatus") == "RUNNING":
                return None
            known |= own
    return known


def _addresses_of(task: JsonObject) -> Iterator[str]:
    # The IP addresses of the task's network interfaces.
    for attachment in task.get("attachments", []):
        yield from (one["value"] for one in attachment.get("details", []) if one.get("name") in _ADDRESS_DETAILS)
