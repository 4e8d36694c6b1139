"""Reads of the services, their task definitions, their deployments, and the tasks that stopped."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.finding import JsonObject, NotChecked, ReadResult
from provisioner.resources.ecs.deployment_diagnosis import CALLS as DIAGNOSIS
from provisioner.resources.ecs.deployment_diagnosis import Diagnosis, diagnose, newest_deployment_status
from provisioner.resources.ecs.deployment_strategies import read_awaited_hook

# The calls of this module by service; `policy` grants them.
CALLS = {
    "ecs": (
        "ListServices",
        "DescribeServices",
        "DescribeTaskDefinition",
        "ListTasks",
        "DescribeTasks",
        "DescribeServiceDeployments",
        "ListServiceDeployments",
    ),
    "logs": ("DescribeLogGroups", *DIAGNOSIS["logs"]),
}
_NO_CLUSTER = ("ClusterNotFoundException",)
# botocore DescribeServices, DescribeTasks: the number of services and of tasks in one call.
_SERVICES, _TASKS = 10, 100
# Stops by ECS or the user, and Spot interruptions: no sign of a problem.
_IN_ORDER = ("UserInitiated", "SpotInterruption", "TerminationNotice")
_ORDERED = ("Scaling activity", "Task stopped by")


@dataclass(frozen=True)
class StoppedTasks:
    """How many tasks of a service stopped by themselves in the last hour, and how the last one ended.

    `past` counts tasks of which nothing is wrong any more: their deployment is over, or all tasks run again.
    """

    service: JsonObject
    count: int
    last: Diagnosis | None = None
    past: int = 0


def main_service(context: DoctorContext) -> ReadResult:
    """Return the main service, found by name."""
    name = context.aws_name("service")
    found = _listed(context)
    return ReadResult(f"service {name}", next((one for one in found if one["serviceName"] == name), None))


def services(context: DoctorContext) -> list[JsonObject]:
    """Return all services of the cluster.

    Raises:
        Unseen: The cluster has no service.

    """
    found = _listed(context)
    if not found:
        raise NotChecked(f"there is no service in {context.aws_name('cluster')}")
    return found


def _listed(context: DoctorContext) -> list[JsonObject]:
    """Return the services of the cluster without inactive ones (ListServices, DescribeServices)."""
    cluster = context.aws_name("cluster")
    ecs = context.clients.client("ecs")
    arns = sorted(default_on_codes(_NO_CLUSTER, lambda: ecs.list_services(cluster=cluster)["serviceArns"], []))
    found: list[JsonObject] = []
    for at in range(0, len(arns), _SERVICES):
        found += ecs.describe_services(cluster=cluster, services=arns[at : at + _SERVICES])["services"]
    return [one for one in found if one["status"] != "INACTIVE"]


def definitions(context: DoctorContext) -> list[JsonObject]:
    """Return the task definition that each service runs (DescribeTaskDefinition)."""
    ecs = context.clients.client("ecs")
    arns = dict.fromkeys(one["taskDefinition"] for one in services(context))
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


def verdicts(context: DoctorContext) -> dict[str, tuple[str, str]]:
    """Return how the newest deployment of each service ended, and ECS's reason (ListServiceDeployments)."""
    ecs, cluster = context.clients.client("ecs"), context.aws_name("cluster")
    return {one["serviceName"]: newest_deployment_status(ecs, cluster, one["serviceName"]) for one in services(context)}


def waiting_hooks(context: DoctorContext) -> dict[str, JsonObject]:
    """Return by service the lifecycle hook at which its deployment waits (DescribeServiceDeployments).

    Services without such a deployment are left out.
    """
    ecs = context.clients.client("ecs")
    told = ((one["serviceName"], read_awaited_hook(ecs, one)) for one in services(context))
    return {name: doc for name, doc in told if doc}


def stopped_tasks(context: DoctorContext) -> list[StoppedTasks]:
    """Return the tasks that stopped by themselves, by service (ListTasks, DescribeTasks).

    ECS lists a stopped task for one hour.
    """
    cluster = context.aws_name("cluster")
    ecs = context.clients.client("ecs")
    arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"] if services(context) else []
    tasks: list[JsonObject] = []
    for at in range(0, len(arns), _TASKS):
        tasks += ecs.describe_tasks(cluster=cluster, tasks=arns[at : at + _TASKS])["tasks"]
    found = []
    for service in services(context):
        name = service["serviceName"]
        mine = [one for one in tasks if one.get("group") == f"service:{name}" and _is_unwanted(one)]
        now = [one for one in mine if _is_of_now(one, service)]
        now = [] if has_ended(now, service, context.now) else now
        newest = max(now, key=lambda one: str(one.get("stoppedAt") or ""), default=None)
        last = diagnose(ecs, cluster, name, newest["taskDefinitionArn"]) if newest else None
        found.append(StoppedTasks(service, len(now), last, len(mine) - len(now)))
    return found


def _is_of_now(task: JsonObject, service: JsonObject) -> bool:
    """Return whether a stopped task counts for a current deployment.

    That is so if the deployment is in progress, or was created before the task stopped.
    """
    stopped = task.get("stoppedAt")
    mine = (one for one in service["deployments"] if one["taskDefinition"] == task["taskDefinitionArn"])
    return any(one.get("rolloutState") != "COMPLETED" or stopped is None or stopped >= one["createdAt"] for one in mine)


def has_ended(stopped: list[JsonObject], service: JsonObject, now: float) -> bool:
    """Return whether the tasks of a service have ceased to stop by themselves.

    That is so if all tasks run again, and the last stop is longer ago than the longest time between two
    stops: in a loop, the next stop would have come by now.
    """
    ends = sorted(one["stoppedAt"].timestamp() for one in stopped if one.get("stoppedAt"))
    if not ends or len(ends) < len(stopped) or not is_up(service):
        return False
    return bool(now - ends[-1] > max((later - earlier for earlier, later in pairwise(ends)), default=0.0))


def is_up(service: JsonObject) -> bool:
    """Return whether the service's current deployment is complete, and all its tasks run."""
    states = {one.get("rolloutState") for one in service["deployments"] if one["status"] == "PRIMARY"}
    return states == {"COMPLETED"} and bool(service["runningCount"] >= service["desiredCount"])


def _is_unwanted(task: JsonObject) -> bool:
    """Return whether a task stopped by itself: not by ECS, by the user, or by a Spot interruption."""
    said = str(task.get("stoppedReason", ""))
    return task.get("stopCode") not in _IN_ORDER and not said.startswith(_ORDERED)


def log_groups(context: DoctorContext) -> set[str]:
    """Return the names of the log groups that the tasks could write to (DescribeLogGroups)."""
    logs = context.clients.client("logs")
    prefix = context.aws_name("ecs-logs")
    return {one["logGroupName"] for one in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]}
