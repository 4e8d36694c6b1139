"""Tasks that stopped by themselves: the first of a deployment shows whether the others will stop too."""

from __future__ import annotations

from collections.abc import Set

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.deployment_diagnosis import MAX_TASKS

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the
# source.
CALLS = {"ecs": ("DescribeTasks", "ListTasks")}
# A container that ends within so many seconds has never served.
_TOO_SHORT_SECONDS = 120.0
# ECS developer guide, stopped task error messages.
_PULL_FAILED, _OUT_OF_MEMORY = "CannotPullContainerError", "OutOfMemory"


def stopped_task_arns(clients: Clients, cluster: str, service: str) -> frozenset[str]:
    """Return the ARNs of the service's tasks that stopped recently (ListTasks)."""
    ecs = clients.client("ecs")
    return frozenset(ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"])


def fatal_stop_reason(clients: Clients, cluster: str, service: str, revision: str, before: Set[str]) -> str:
    """Return why a task of `revision` stopped, if the cause will stop the other tasks too; "" otherwise.

    Tasks in `before` (ARNs) had stopped before the deployment and are left out.
    """
    ecs = clients.client("ecs")
    new = sorted(stopped_task_arns(clients, cluster, service) - before)[:MAX_TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=new)["tasks"] if new else []
    ends = (_fatal_reason(one) for one in tasks if one["taskDefinitionArn"] == revision)
    return next(filter(None, ends), "")


def _fatal_reason(task: JsonObject) -> str:
    # The stop reason, if it is a failed pull, too little memory, or a container that ended at once; else "".
    reason = str(task.get("stoppedReason", ""))
    said = " ".join([reason, *(str(one.get("reason", "")) for one in task.get("containers", []))])
    if _PULL_FAILED in said or _OUT_OF_MEMORY in said:
        return reason
    if task.get("stopCode") != "EssentialContainerExited":
        return ""
    start, end = task.get("startedAt"), task.get("stoppedAt")
    lived = (end - start).total_seconds() if start and end else 0.0
    return reason if lived < _TOO_SHORT_SECONDS else ""
