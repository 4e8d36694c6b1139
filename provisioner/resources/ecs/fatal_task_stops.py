"""The tasks of a service that stopped, and whether the reason will stop the other tasks of a deployment too."""

from __future__ import annotations

from collections.abc import Set

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.deployment_diagnosis import MAX_TASKS
from provisioner.service_clients import ECS

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {"ecs": ("DescribeTasks", "ListTasks")}
# A container that ends within so many seconds has never served.
_TOO_SHORT_SECONDS = 120.0
# ECS developer guide, stopped task error messages.
_PULL_FAILED, _OUT_OF_MEMORY = "CannotPullContainerError", "OutOfMemory"


def stopped_task_arns(clients: Clients, cluster: str, service: str) -> frozenset[str]:
    """Return the ARNs of the service's tasks that stopped recently (ListTasks)."""
    ecs = clients.client(ECS)
    return frozenset(ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"])


def fatal_stop_reason(clients: Clients, cluster: str, service: str, revision: str, before: Set[str]) -> str:
    """Return why a task of `revision` stopped, if the cause will stop the other tasks too; "" otherwise.

    Tasks in `before` (ARNs) had stopped before the deployment and are left out.
    """
    ecs = clients.client(ECS)
    new_arns = sorted(stopped_task_arns(clients, cluster, service) - before)[:MAX_TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=new_arns)["tasks"] if new_arns else []
    reasons = (_fatal_reason(task) for task in tasks if task["taskDefinitionArn"] == revision)
    return next(filter(None, reasons), "")


def _fatal_reason(task: JsonObject) -> str:
    """Return the stop reason of a task if other tasks of its revision will stop for it too; "" otherwise.

    Such reasons are a failed pull, too little memory, and an essential container that ended at once.
    """
    reason = str(task.get("stoppedReason", ""))
    reasons = " ".join([reason, *(str(container.get("reason", "")) for container in task.get("containers", []))])
    if _PULL_FAILED in reasons or _OUT_OF_MEMORY in reasons:
        return reason
    if task.get("stopCode") != "EssentialContainerExited":
        return ""
    started, stopped = task.get("startedAt"), task.get("stoppedAt")
    lifetime = (stopped - started).total_seconds() if started and stopped else 0.0
    return reason if lifetime < _TOO_SHORT_SECONDS else ""
