"""ECS: tasks, and what Fargate refuses of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from provisioner.emulator.ecs import scheduler
from provisioner.emulator.ecs.life import stop
from provisioner.emulator.ecs.model import Task, all_tasks, services
from provisioner.emulator.ecs.tasks import provider_of_next
from provisioner.emulator.ecs.views import task_view
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto
from provisioner.emulator.patches.ecs_clusters import cluster_arn
from provisioner.emulator.wire import Call


def _tasks(call: Call) -> list[Task]:
    """Return the tasks of the call's cluster."""
    cluster = cluster_arn(call)
    return [task for task in all_tasks(call.place) if task.cluster == cluster]


@always.before("ecs", "ListTasks")
def list_tasks(call: Call) -> Reply | None:
    """List tasks, by default those with desired status RUNNING (botocore ServiceModel, desiredStatus)."""
    params = call.params
    listed = [t for t in _tasks(call) if t.desired_status == params.get("desiredStatus", "RUNNING")]
    if name := params.get("serviceName"):
        listed = [task for task in listed if task.group == f"service:{name.rpartition('/')[2]}"]
    if family := params.get("family"):
        listed = [task for task in listed if task.definition["family"] == family]
    if by := params.get("startedBy"):
        listed = [task for task in listed if task.started_by == by]
    return {"taskArns": [task.arn for task in listed]}


@always.before("ecs", "DescribeTasks")
def describe_tasks(call: Call) -> Reply | None:
    """Describe tasks; list unknown ones as failures."""
    tasks = {task.id: task for task in _tasks(call)}
    requested = {name.rpartition("/")[2]: name for name in call.params["tasks"]}
    views = [task_view(tasks[name]) for name in requested if name in tasks]
    for view in views:
        if "TAGS" in call.params.get("include", []):
            task = tasks[view["taskArn"].rpartition("/")[2]]
            view["tags"] = task.tags + task.spec.get("tags", [])
    missing = [{"arn": arn, "reason": "MISSING"} for name, arn in requested.items() if name not in tasks]
    return {"tasks": views, "failures": missing}


@always.before("ecs", "RunTask")
def run_task(call: Call) -> Reply | None:
    """Run standalone tasks, which end by themselves and are not replaced by a service."""
    params = call.params
    cluster = cluster_arn(call, active=True)
    definition = ask_moto(call, "ecs", "DescribeTaskDefinition", taskDefinition=params["taskDefinition"])
    definition = definition["taskDefinition"]
    _refuse_run(definition, params.get("overrides", {}))
    spec_keys = ("networkConfiguration", "overrides", "tags")
    spec: dict[str, Any] = {key: params[key] for key in spec_keys if key in params}
    group = params.get("group", f"family:{definition['family']}")
    started: list[Task] = []
    for _ in range(params.get("count", 1)):
        task = Task(call.place, cluster, definition, spec, group, params.get("startedBy", ""))
        providers = [other.provider for other in started]
        task.provider = provider_of_next(params.get("capacityProviderStrategy", []), providers)
        scheduler.run_once(task)
        started.append(task)
    return {"tasks": [task_view(task) for task in started], "failures": []}


# botocore ServiceModel, RunTask, overrides; wording: game-ci/unity-builder aws-task-runner.
_MAX_OVERRIDES = 8192


def _refuse_run(definition: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Refuse a revision that is not active, and overrides that are too long."""
    if definition["status"] != "ACTIVE":  # botocore ServiceModel, DeregisterTaskDefinition
        raise AwsError("ClientException", "TaskDefinition is inactive")
    if len(json.dumps(overrides, separators=(",", ":"))) > _MAX_OVERRIDES:
        message = f"Container Overrides length must be at most {_MAX_OVERRIDES}"
        raise AwsError("InvalidParameterException", message)


@always.before("ecs", "StopTask")
def stop_task(call: Call) -> Reply | None:
    """Stop a task; a service starts another in its place."""
    name = call.params["task"].rpartition("/")[2]
    matching = [task for task in _tasks(call) if task.id == name]
    if not matching:
        raise AwsError("InvalidParameterException", "The referenced task was not found.")
    (task,) = matching
    owners = [s for s in services.of(call).values() if task in s.tasks]
    reason = call.params.get("reason", "Task stopped by user")
    stop(task, "UserInitiated", reason, lambda _: None)
    for service in owners:
        scheduler.settle(service)
    return {"task": task_view(task)}


_MEANINGLESS = ("privileged", "dockerSecurityOptions", "links", "extraHosts", "disableNetworking")
_LINUX = ("devices", "maxSwap", "sharedMemorySize", "swappiness", "tmpfs")


@always.before("ecs", "RegisterTaskDefinition")
def refuse_for_fargate(call: Call) -> None:
    """Refuse a Fargate task definition that has parameters Fargate does not support."""
    if "FARGATE" not in call.params.get("requiresCompatibilities", []):
        return
    for container in call.params["containerDefinitions"]:
        for parameter in _unsupported_parameters(container):
            raise AwsError("ClientException", f"Fargate compatible task definitions do not support {parameter}.")
    for volume in call.params.get("volumes", []):
        if volume.get("host", {}).get("sourcePath"):
            raise AwsError("ClientException", "host.sourcePath should not be set for volumes in Fargate.")


def _unsupported_parameters(container: dict[str, Any]) -> Iterator[str]:
    """Yield the parameters of a container definition that Fargate does not support."""
    yield from (key for key in _MEANINGLESS if container.get(key))
    linux = container.get("linuxParameters") or {}
    yield from (key for key in _LINUX if linux.get(key))
    added = (linux.get("capabilities") or {}).get("add") or []
    yield from (f"adding the capability {capability}" for capability in added if capability != "SYS_PTRACE")
