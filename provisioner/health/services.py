"""The topics of services and events: running tasks, their capacity providers, deployments and last events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource, line_or_unknown

# botocore DescribeTasks: the number of tasks in one call.
_MOST = 100
_EVENTS = 10
_MINUTE = 60
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}


def services(context: HealthContext) -> Iterator[HealthLine]:
    """Return two lines for each service, and one for each deployment that is in progress or has failed."""

    def line(one: ObservedResource, doc: JsonObject) -> Iterator[HealthLine]:
        yield _counted(one, doc)
        yield from line_or_unknown(one.logical_id, lambda: _stands_on(one, _capacity(context, doc)))
        for each in doc["deployments"]:
            if _is_open(each):
                yield _deployment(one, each, context.now, doc if each.get("status") == "PRIMARY" else {})

    return context.lines("Service", line)


def _counted(one: ObservedResource, doc: JsonObject) -> HealthLine:
    """Return the line of a service with its counts of tasks: healthy if no fewer run than are desired."""
    wanted, running, pending = (doc[f"{word}Count"] for word in ("desired", "running", "pending"))
    waiting = f", {pending} pending" if pending else ""
    revision = str(doc["taskDefinition"]).rpartition("/")[2]
    facts = {"wanted": wanted, "running": running, "pending": pending, "task_definition": revision}
    mark: LineStatus = "well" if doc["status"] == "ACTIVE" and running >= wanted else "unwell"
    return HealthLine(one.logical_id, f"{running} of {wanted} run{waiting}; {revision}", mark, facts)


def _stands_on(one: ObservedResource, capacity: Counter[str]) -> HealthLine:
    """Return the line with the number of running tasks on each capacity provider."""
    counts = ", ".join(f"{count} on {name}" for name, count in sorted(capacity.items()))
    return HealthLine(one.logical_id, counts or "on no capacity: no task runs", "told", {"capacity": dict(capacity)})


def _capacity(context: HealthContext, doc: JsonObject) -> Counter[str]:
    """Count the running tasks by capacity provider, or by launch type (ListTasks, DescribeTasks)."""
    ecs = context.clients.client("ecs")
    where = {"cluster": doc["clusterArn"]}
    arns = ecs.list_tasks(**where, serviceName=doc["serviceName"])["taskArns"]
    tasks: list[JsonObject] = []
    for start in range(0, len(arns), _MOST):
        tasks += ecs.describe_tasks(**where, tasks=arns[start : start + _MOST])["tasks"]
    running = (one for one in tasks if one["lastStatus"] == "RUNNING")
    return Counter(str(one.get("capacityProviderName") or one["launchType"]) for one in running)


def _is_open(deployment: JsonObject) -> bool:
    """Return whether a deployment has not completed, so that tasks of an older one still run, too."""
    return bool(deployment.get("rolloutState", "COMPLETED") != "COMPLETED")


def _deployment(one: ObservedResource, deployment: JsonObject, now: float, doc: JsonObject) -> HealthLine:
    """Return the line of a deployment: its state, since when, its tasks, and the lifecycle hook it waits at.

    Only the newest deployment can tell the hook, from `doc`, the service; for others `doc` is empty.
    """
    state = deployment["rolloutState"]
    since = max(0.0, now - deployment["createdAt"].timestamp())
    failed = deployment.get("failedTasks", 0)
    counts = f"{deployment['runningCount']} of {deployment['desiredCount']} run, {failed} failed"
    waits = doc.get("Waits") or doc.get("Unheard", "")
    says = f"deployment {state} for {_long(since)}: {counts}{f'; {waits}' if waits else ''}"
    facts = {"deployment": deployment["id"], "rollout": state, "failed": failed, "seconds": round(since)}
    facts |= {"waits": waits} if waits else {}
    return HealthLine(one.logical_id, says, "unwell", facts)


def _long(seconds: float) -> str:
    """Return a duration in words, in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"


def events(context: HealthContext) -> Iterator[HealthLine]:
    """Yield the last events of the services, newest first, as they were read with the services."""
    said: list[Any] = [
        (event["createdAt"], one.logical_id, event["message"])
        for one in context.of_types("Service")
        for event in (one.actual or {}).get("events", [])
    ]
    for at, node, message in sorted(said, key=lambda one: one[0], reverse=True)[:_EVENTS]:
        when = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        yield HealthLine(when, message, "told", {"service": node})
