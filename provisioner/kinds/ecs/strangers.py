"""Whose address a target is: a task's of the cluster, or a stranger's that gets requests meant for tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.tagged import NO_CLUSTER

# What is asked here, by service: `policy` grants it.
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}
# botocore ecs DescribeTasks: so many in one call.
_MOST = 100
# On its way in or out (botocore elbv2, TargetHealthStateEnum): ECS registers a task before ListTasks, which
# is eventually consistent, must tell of it; what is on its way out needs nobody to take it out.
_PASSING = frozenset({"initial", "draining", "unhealthy.draining"})
# botocore ecs Attachment, details of an ElasticNetworkInterface.
_ADDRESSES = ("privateIPv4Address", "privateIPv6Address")


def strangers(ecs: Any, cluster: str, listed: Iterable[Doc]) -> list[Doc]:
    """ListTasks, DescribeTasks: those of DescribeTargetHealth that no task of the cluster stands behind.

    A task that ECS stops is told for an hour still, so one that is not out of its group yet is known. None is
    a stranger where a task that runs does not tell its address.
    """
    others = [one for one in listed if one["TargetHealth"]["State"] not in _PASSING]
    for wanted in ("RUNNING", "STOPPED"):
        if not others:
            break
        known = _addresses(ecs, cluster, wanted)
        if known is None:
            return []
        others = [one for one in others if one["Target"]["Id"] not in known]
    return others


def told(target: Doc) -> str:
    """A target's address and port."""
    return f"{target['Id']}:{target['Port']}" if "Port" in target else str(target["Id"])


def _addresses(ecs: Any, cluster: str, wanted: str) -> set[str] | None:
    """The addresses of the tasks that ECS wants to be so; None where one is not told."""
    try:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=wanted)["taskArns"]
    except ClientError as error:
        if code_of(error) not in NO_CLUSTER:
            raise
        return None
    known: set[str] = set()
    for at in range(0, len(arns), _MOST):
        answer = ecs.describe_tasks(cluster=cluster, tasks=arns[at : at + _MOST])
        if answer.get("failures"):
            return None
        for task in answer["tasks"]:
            own = set(_of(task))
            if not own and task.get("lastStatus") == "RUNNING":
                return None
            known |= own
    return known


def _of(task: Doc) -> Iterator[str]:
    for attachment in task.get("attachments", []):
        yield from (one["value"] for one in attachment.get("details", []) if one.get("name") in _ADDRESSES)
