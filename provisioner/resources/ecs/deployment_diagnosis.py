"""Why a deployment of a service failed: ECS's verdict, the last stopped task and its last log lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.calls.error_categories import default_if_unsupported, describe_error
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.service_deployments import (
    list_deployments,
    newest_deployment_status,
    was_stopped_by_hand,
)
from provisioner.service_clients import ECS, CloudWatchLogs

# How many log lines of a container are shown, and how many tasks are read (botocore DescribeTasks: 100).
MAX_LOG_LINES, MAX_TASKS = 30, 100
# How the stop reason of a task begins that ECS stopped on purpose. Such a task explains no failure.
_DELIBERATE_STOPS = ("Scaling activity", "Task stopped by")
_NO_REASON = "ECS gives no reason"


@dataclass(frozen=True)
class StoppedContainer:
    """A container of a stopped task: how it ended, and its last log lines."""

    name: str
    exit_code: int | None
    reason: str
    log_lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        code = "" if self.exit_code is None else f" ended with exit code {self.exit_code}"
        reason = f": {self.reason}" if self.reason else ""
        return f"container {self.name}{code}{reason}"


@dataclass(frozen=True)
class Diagnosis:
    """Why a deployment failed, as far as is known; `failed_calls` lists the calls that were denied or failed."""

    status: str = ""
    reason: str = ""
    task_id: str = ""
    stop_reason: str = ""
    containers: tuple[StoppedContainer, ...] = ()
    failed_calls: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """ECS's verdict, the stop reasons and the failed calls, one per line."""
        verdict = f"{self.status}: {self.reason}".strip(": ") or _NO_REASON
        task = f"task {self.task_id} stopped: {self.stop_reason}" if self.task_id else ""
        containers = [str(each) for each in self.containers if each.exit_code is not None or each.reason]
        return "\n    ".join(filter(None, [verdict, task, *containers, *self.failed_calls]))

    @property
    def evidence(self) -> str:
        """The last log lines of the containers. They are for the terminal and are not recorded."""
        lines: list[str] = []
        for container in self.containers:
            if container.log_lines:
                lines.append(f"The last lines of container {container.name}:")
                lines += [f"  {line}" for line in container.log_lines]
        return "\n".join(lines)

    @property
    def remedy(self) -> str:
        """The most likely remedy, chosen by the stop reasons."""
        reasons = f"{self.stop_reason} {' '.join(container.reason for container in self.containers)}"
        return next((hint for phrase, hint in _REMEDIES.items() if phrase in reasons), _REMEDIES[""])


# The remedy by a phrase of the stop reason (ECS developer guide, stopped task error messages). The first
# phrase that is found counts, so the most specific come first.
_REMEDIES = {
    "CannotPullContainerError": "Mend `image`: it cannot be pulled, or is not there for this architecture.",
    "log group does not exist": "Its log group is not there: `apply` creates it again.",
    "ResourceInitializationError": "Look at its secrets and its way out to AWS: it needs both to start.",
    "OutOfMemory": "Give it more memory: `container.memory`.",
    "health checks": "Mend `container.port`, its protocol or `container.health_path`: nobody answers there.",
    "Essential container": "Mend what the container runs: it ended by itself.",
    "": "Mend the image, its port or its health path (`image`, `container.port`, `container.health_path`).",
}
# Calls to services other than ECS, by service: `policy` grants them.
CALLS = {"logs": ("GetLogEvents /aws/ecs/ml-api-{suffix}",)}


def is_newest_stopped_by_hand(ecs: ECS, cluster: str, service: str) -> bool:
    """Return whether the newest deployment was stopped by hand or by a lifecycle hook.

    That is so if neither its tasks nor an alarm ended it (DescribeServiceDeployments). False if the calls are
    denied or unknown.
    """

    def ask() -> bool:
        newest = next(iter(list_deployments(ecs, cluster, service) or []), None)
        if newest is None:
            return False
        arns = [newest["serviceDeploymentArn"]]
        described = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        return bool(described) and was_stopped_by_hand(described[0])

    return bool(_call_or_default(lambda: default_if_unsupported(ask, default=False), default=False, failed_calls=[]))


def diagnose(ecs: ECS, cluster: str, service: str, revision: str = "") -> Diagnosis:
    """Return why the newest deployment of a service failed, as far as AWS tells.

    A call that fails is listed in `failed_calls` of the result, and the other calls are made all the same. With
    `revision` (a task definition ARN) only stopped tasks of that revision are considered.
    """
    failed_calls: list[str] = []
    status, reason = _call_or_default(lambda: newest_deployment_status(ecs, cluster, service), ("", ""), failed_calls)
    no_task: JsonObject = {}
    task = _call_or_default(lambda: _last_stopped_task(ecs, cluster, service, revision), no_task, failed_calls)
    containers: tuple[StoppedContainer, ...] = ()
    if task:
        containers = _call_or_default(lambda: _stopped_containers(ecs, task, failed_calls), (), failed_calls)
    task_id = str(task.get("taskArn", "")).rpartition("/")[2]
    return Diagnosis(status, reason, task_id, str(task.get("stoppedReason", "")), containers, tuple(failed_calls))


def _call_or_default(call: Callable[[], Any], default: Any, failed_calls: list[str]) -> Any:
    """Return the reply of a call; if the call fails, add the error to `failed_calls` and return `default`."""
    try:
        return call()
    except ClientError as error:
        failed_calls.append(f"({describe_error(error)})")
        return default


def _last_stopped_task(ecs: ECS, cluster: str, service: str, revision: str) -> JsonObject:
    """Return the task that stopped last and that ECS did not stop on purpose; {} if there is none."""
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"][:MAX_TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    tasks = [task for task in tasks if revision in ("", task["taskDefinitionArn"])]
    unwanted = [task for task in tasks if not str(task.get("stoppedReason", "")).startswith(_DELIBERATE_STOPS)]
    newest: JsonObject = max(unwanted, key=lambda task: str(task.get("stoppedAt") or ""), default={})
    return newest


def _stopped_containers(ecs: ECS, task: JsonObject, failed_calls: list[str]) -> tuple[StoppedContainer, ...]:
    """Return how each container of a stopped task ended, with its last log lines."""
    task_definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    definitions = {definition["name"]: definition for definition in task_definition["containerDefinitions"]}
    containers = []
    for container in task["containers"]:
        # GuardDuty and Service Connect add containers that the task definition does not have (ECS developer
        # guide).
        definition = definitions.get(container["name"], {})
        lines = _call_or_default(partial(_last_log_lines, ecs, task, definition), [], failed_calls)
        containers.append(
            StoppedContainer(
                container["name"], container.get("exitCode"), str(container.get("reason", "")), tuple(lines)
            )
        )
    return tuple(containers)


def _last_log_lines(ecs: ECS, task: JsonObject, definition: JsonObject) -> list[str]:
    """Return the last log lines of a container (GetLogEvents).

    Empty if the container never wrote a line, or does not log through `awslogs` with a stream prefix.
    """
    log = definition.get("logConfiguration", {})
    options = log.get("options", {})
    prefix = options.get("awslogs-stream-prefix")
    if log.get("logDriver") != "awslogs" or not prefix:
        return []
    stream = f"{prefix}/{definition['name']}/{task['taskArn'].rpartition('/')[2]}"
    try:
        events = sibling_client(ecs, CloudWatchLogs).get_log_events(
            logGroupName=options["awslogs-group"], logStreamName=stream, limit=MAX_LOG_LINES, startFromHead=False
        )["events"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return []
    return [str(event["message"]).rstrip() for event in events][-MAX_LOG_LINES:]
