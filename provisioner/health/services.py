"""The services: what is wanted, what runs and on what capacity, the deployment, and the last events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from provisioner.engine.refs import Doc
from provisioner.health.scene import Line, Mark, Scene, Sight, asked

# botocore DescribeTasks: so many in one call.
_MOST = 100
_EVENTS = 10
_MINUTE = 60
CALLS = {"ecs": ("ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}


def services(scene: Scene) -> Iterator[Line]:
    """A line a service, and one where a deployment is under way or has failed."""

    def line(one: Sight, doc: Doc) -> Iterator[Line]:
        yield _counted(one, doc)
        yield from asked(one.node, lambda: _stands_on(one, _capacity(scene, doc)))
        for each in doc["deployments"]:
            if _is_open(each):
                yield _deployment(one, each, scene.now, doc if each.get("status") == "PRIMARY" else {})

    return scene.tell("Service", line)


def _counted(one: Sight, doc: Doc) -> Line:
    wanted, running, pending = (doc[f"{word}Count"] for word in ("desired", "running", "pending"))
    waiting = f", {pending} pending" if pending else ""
    revision = str(doc["taskDefinition"]).rpartition("/")[2]
    facts = {"wanted": wanted, "running": running, "pending": pending, "task_definition": revision}
    mark: Mark = "well" if doc["status"] == "ACTIVE" and running >= wanted else "unwell"
    return Line(one.node, f"{running} of {wanted} run{waiting}; {revision}", mark, facts)


def _stands_on(one: Sight, capacity: Counter[str]) -> Line:
    counts = ", ".join(f"{count} on {name}" for name, count in sorted(capacity.items()))
    return Line(one.node, counts or "on no capacity: no task runs", "told", {"capacity": dict(capacity)})


def _capacity(scene: Scene, doc: Doc) -> Counter[str]:
    """ListTasks, DescribeTasks: what its running tasks really stand on."""
    ecs = scene.clients.client("ecs")
    where = {"cluster": doc["clusterArn"]}
    arns = ecs.list_tasks(**where, serviceName=doc["serviceName"])["taskArns"]
    tasks: list[Doc] = []
    for start in range(0, len(arns), _MOST):
        tasks += ecs.describe_tasks(**where, tasks=arns[start : start + _MOST])["tasks"]
    running = (one for one in tasks if one["lastStatus"] == "RUNNING")
    return Counter(str(one.get("capacityProviderName") or one["launchType"]) for one in running)


def _is_open(deployment: Doc) -> bool:
    """Not yet where it is to be; an older one's tasks are still running, too."""
    return bool(deployment.get("rolloutState", "COMPLETED") != "COMPLETED")


def _deployment(one: Sight, deployment: Doc, now: float, doc: Doc) -> Line:
    """How far one is; of the newest also at which hook it waits, which the service itself tells."""
    state = deployment["rolloutState"]
    since = max(0.0, now - deployment["createdAt"].timestamp())
    failed = deployment.get("failedTasks", 0)
    counts = f"{deployment['runningCount']} of {deployment['desiredCount']} run, {failed} failed"
    waits = doc.get("Waits") or doc.get("Unheard", "")
    says = f"deployment {state} for {_long(since)}: {counts}{f'; {waits}' if waits else ''}"
    facts = {"deployment": deployment["id"], "rollout": state, "failed": failed, "seconds": round(since)}
    facts |= {"waits": waits} if waits else {}
    return Line(one.node, says, "unwell", facts)


def _long(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"


def events(scene: Scene) -> Iterator[Line]:
    """What the services said last, newest first; they are told with the services."""
    said: list[Any] = [
        (event["createdAt"], one.node, event["message"])
        for one in scene.of("Service")
        for event in (one.doc or {}).get("events", [])
    ]
    for at, node, message in sorted(said, key=lambda one: one[0], reverse=True)[:_EVENTS]:
        when = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        yield Line(when, message, "told", {"service": node})
