"""The task of a service that ended last: ECS describes it for about an hour, its log stream remains for longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.deployment_diagnosis import MAX_TASKS
from provisioner.service_clients import ECS, CloudWatchLogs

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {
    "ecs": ("DescribeTasks ml-api-cluster-{suffix}", "ListTasks"),
    "logs": ("DescribeLogStreams /aws/ecs/ml-api-{suffix}",),
}


@dataclass(frozen=True)
class EndedTask:
    """A task that has ended: since when there can be lines of it and when it ended (epoch seconds), and why."""

    id: str
    created_at: float
    ended_at: float
    reason: str = ""


def read_last_ended_task(clients: Clients, cluster: str, service: str) -> EndedTask | None:
    """Return the task of a service that ended last; None if ECS describes none (ListTasks, DescribeTasks)."""
    ecs = clients.client(ECS)
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    batches = (arns[start : start + MAX_TASKS] for start in range(0, len(arns), MAX_TASKS))
    tasks = [task for batch in batches for task in ecs.describe_tasks(cluster=cluster, tasks=batch)["tasks"]]
    ended = [task for task in tasks if task["lastStatus"] == "STOPPED" and task.get("stoppedAt")]
    return max(map(_ended_task, ended), key=lambda task: task.ended_at, default=None)


def _ended_task(task: JsonObject) -> EndedTask:
    """Return a described task that has stopped; the exit codes of its containers are part of the reason."""
    containers = (container for container in task.get("containers", []) if container.get("exitCode") is not None)
    codes = [f"container {container['name']} ended with exit code {container['exitCode']}" for container in containers]
    reason = "; ".join(filter(None, [str(task.get("stoppedReason", "")), *codes]))
    ended_at = task["stoppedAt"].timestamp()
    created_at = task["createdAt"].timestamp() if task.get("createdAt") else ended_at
    return EndedTask(str(task["taskArn"]).rpartition("/")[2], created_at, ended_at, reason)


def find_last_ended_stream(clients: Clients, cluster: str, group: str, prefix: str) -> EndedTask | None:
    """Return the task that wrote last among the streams with a prefix and does not run; None if there is none.

    Calls ListTasks and DescribeLogStreams. A stream does not tell why its task ended, nor whether `run` started it.
    """
    arns = clients.client(ECS).list_tasks(cluster=cluster)["taskArns"]
    running = {arn.rpartition("/")[2] for arn in arns}
    for stream in _newest_streams(clients, group):
        task = stream["logStreamName"].removeprefix(prefix)
        if stream["logStreamName"] == f"{prefix}{task}" and task not in running and "lastEventTimestamp" in stream:
            begin = stream.get("firstEventTimestamp") or stream.get("creationTime") or 0
            return EndedTask(task, begin / 1000, stream["lastEventTimestamp"] / 1000)
    return None


def _newest_streams(clients: Clients, group: str) -> Iterator[JsonObject]:
    """Yield the streams of a log group, the one with the newest line first, page by page."""
    logs = clients.client(CloudWatchLogs)
    request: dict[str, Any] = {"logGroupName": group, "orderBy": "LastEventTime", "descending": True}
    while True:
        reply = logs.one_page.describe_log_streams(**request)
        yield from reply["logStreams"]
        if not reply.get("nextToken"):
            return
        request["nextToken"] = reply["nextToken"]
