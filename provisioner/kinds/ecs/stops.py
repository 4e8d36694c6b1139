"""Tasks that stopped by themselves: the first of a deployment tells what the others will."""

from __future__ import annotations

from collections.abc import Set

from provisioner.engine.clients import Clients
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.diagnosis import TASKS

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {"ecs": ("DescribeTasks", "ListTasks")}
# A container that ends within so many seconds never served.
_AT_ONCE = 120.0
# ECS developer guide, stopped task error messages.
_PULL, _MEMORY = "CannotPullContainerError", "OutOfMemory"


def stopped(clients: Clients, cluster: str, service: str) -> frozenset[str]:
    """ListTasks: those that have stopped lately."""
    ecs = clients.client("ecs")
    return frozenset(
        ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    )


def hopeless(clients: Clients, cluster: str, service: str, revision: str, before: Set[str]) -> str:
    """Why a task of this revision stopped, where others of it will not fare better; "" while none did."""
    ecs = clients.client("ecs")
    new = sorted(stopped(clients, cluster, service) - before)[:TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=new)["tasks"] if new else []
    ends = (_end(one) for one in tasks if one["taskDefinitionArn"] == revision)
    return next(filter(None, ends), "")


def _end(task: Doc) -> str:
    reason = str(task.get("stoppedReason", ""))
    said = " ".join([reason, *(str(one.get("reason", "")) for one in task.get("containers", []))])
    if _PULL in said or _MEMORY in said:
        return reason
    if task.get("stopCode") != "EssentialContainerExited":
        return ""
    start, end = task.get("startedAt"), task.get("stoppedAt")
    lived = (end - start).total_seconds() if start and end else 0.0
    return reason if lived < _AT_ONCE else ""
