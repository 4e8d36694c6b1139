"""The topics of services and events: running tasks, their capacity providers, deployments and last events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from functools import partial
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource, line_or_unknown
from provisioner.service_clients import ECS

# botocore DescribeTasks: the number of tasks in one call.
_MAX_TASKS_PER_CALL = 100
_MAX_EVENTS = 10
_SECONDS_PER_MINUTE = 60
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}


def services(context: HealthContext) -> Iterator[HealthLine]:
    """Yield two lines for each service, and one for each deployment that is in progress or has failed."""
    return context.lines_of_type("Service", partial(_service_lines, context))


def _service_lines(context: HealthContext, service: ObservedResource, actual: JsonObject) -> Iterator[HealthLine]:
    """Yield the lines of one service: its task counts, their capacity, and its incomplete deployments."""
    yield _task_count_line(service, actual)
    yield from line_or_unknown(service.logical_id, lambda: _capacity_line(service, _tasks_by_capacity(context, actual)))
    for deployment in filter(_is_incomplete, actual["deployments"]):
        is_newest = deployment.get("status") == "PRIMARY"
        yield _deployment_line(service, deployment, context.now, actual if is_newest else {})


def _task_count_line(service: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of a service with its counts of tasks: healthy if no fewer run than are desired."""
    desired, running, pending = (actual[f"{state}Count"] for state in ("desired", "running", "pending"))
    pending_text = f", {pending} pending" if pending else ""
    revision = str(actual["taskDefinition"]).rpartition("/")[2]
    facts = {"wanted": desired, "running": running, "pending": pending, "task_definition": revision}
    line_status: LineStatus = "healthy" if actual["status"] == "ACTIVE" and running >= desired else "unhealthy"
    return HealthLine(service.logical_id, f"{running} of {desired} run{pending_text}; {revision}", line_status, facts)


def _capacity_line(service: ObservedResource, capacity: Counter[str]) -> HealthLine:
    """Return the line with the number of running tasks on each capacity provider."""
    counts = ", ".join(f"{count} on {name}" for name, count in sorted(capacity.items()))
    return HealthLine(service.logical_id, counts or "no task runs", "info", {"capacity": dict(capacity)})


def _tasks_by_capacity(context: HealthContext, actual: JsonObject) -> Counter[str]:
    """Count the running tasks by capacity provider, or by launch type (ListTasks, DescribeTasks)."""
    ecs = context.clients.client(ECS)
    cluster = {"cluster": actual["clusterArn"]}
    arns = ecs.list_tasks(**cluster, serviceName=actual["serviceName"])["taskArns"]
    tasks: list[JsonObject] = []
    for start in range(0, len(arns), _MAX_TASKS_PER_CALL):
        tasks += ecs.describe_tasks(**cluster, tasks=arns[start : start + _MAX_TASKS_PER_CALL])["tasks"]
    running = (task for task in tasks if task["lastStatus"] == "RUNNING")
    return Counter(str(task.get("capacityProviderName") or task["launchType"]) for task in running)


def _is_incomplete(deployment: JsonObject) -> bool:
    """Return whether a deployment has not completed, so that tasks of an older one still run, too."""
    return bool(deployment.get("rolloutState", "COMPLETED") != "COMPLETED")


def _deployment_line(service: ObservedResource, deployment: JsonObject, now: float, actual: JsonObject) -> HealthLine:
    """Return the line of a deployment: its state, since when, its tasks, and the lifecycle hook it waits at.

    Only the newest deployment can tell the hook, from `actual`, the service; for others `actual` is empty.
    """
    state = deployment["rolloutState"]
    since = max(0.0, now - deployment["createdAt"].timestamp())
    failed = deployment.get("failedTasks", 0)
    counts = f"{deployment['runningCount']} of {deployment['desiredCount']} run, {failed} failed"
    hook = actual.get("Waits") or actual.get("Unheard", "")
    text = f"deployment {state} for {_format_seconds(since)}: {counts}{f'; {hook}' if hook else ''}"
    facts = {"deployment": deployment["id"], "rollout": state, "failed": failed, "seconds": round(since)}
    facts |= {"waits": hook} if hook else {}
    return HealthLine(service.logical_id, text, "unhealthy", facts)


def _format_seconds(seconds: float) -> str:
    """Return a duration in words, in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < _SECONDS_PER_MINUTE else f"{seconds / _SECONDS_PER_MINUTE:.0f} min"


def events(context: HealthContext) -> Iterator[HealthLine]:
    """Yield the last events of the services, newest first, as they were read with the services."""
    services = list(context.of_types("Service"))
    all_events: list[Any] = [
        (event["createdAt"], service.logical_id, event["message"].removeprefix(f"(service {service.aws_name}) "))
        for service in services
        for event in (service.actual or {}).get("events", [])
    ]
    for created_at, logical_id, message in sorted(all_events, key=lambda event: event[0], reverse=True)[:_MAX_EVENTS]:
        time_text = created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        subject = f"{logical_id}: " if len(services) > 1 else ""
        yield HealthLine(time_text, f"{subject}{message}", "info", {"service": logical_id})
