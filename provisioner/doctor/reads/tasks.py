"""Reads of the services: their task definitions, images and deployments, and the tasks that stopped."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from provisioner.doctor.check import JsonObject, NotApplicable, NotChecked, ReadResult
from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.preflight import image_pulls, pull_rules
from provisioner.preflight.image_pulls import PrivateImage, check_image
from provisioner.resources.ecs.deployment_diagnosis import CALLS as DIAGNOSIS
from provisioner.resources.ecs.deployment_diagnosis import Diagnosis, diagnose
from provisioner.resources.ecs.lifecycle_hooks import read_awaited_hook
from provisioner.resources.ecs.service_deployments import newest_deployment_status
from provisioner.service_clients import ECS, CloudWatchLogs
from provisioner.settings.images import images_of

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
    "ecr": (*image_pulls.CALLS["ecr"], *pull_rules.CALLS["ecr"]),
}
_NO_CLUSTER = ("ClusterNotFoundException",)
# botocore DescribeServices, DescribeTasks: the number of services and of tasks in one call.
_MAX_SERVICES, _MAX_TASKS = 10, 100
# Stops by ECS or the user, and Spot interruptions: no sign of a problem.
_EXPECTED_STOP_CODES = ("UserInitiated", "SpotInterruption", "TerminationNotice")
_EXPECTED_STOP_REASONS = ("Scaling activity", "Task stopped by")


@dataclass(frozen=True)
class StoppedTasks:
    """How many tasks of a service stopped by themselves in the last hour, and how the last one ended.

    `recovered` counts tasks of which nothing is wrong any more: their deployment is over, or all tasks run again.
    """

    service: JsonObject
    count: int
    diagnosis: Diagnosis | None = None
    recovered: int = 0


def read_main_service(context: DoctorContext) -> ReadResult:
    """Return the main service, found by name."""
    name = context.aws_name("service")
    by_name = {service["serviceName"]: service for service in _read_active_services(context)}
    return ReadResult(f"service {name}", by_name.get(name))


def read_services(context: DoctorContext) -> list[JsonObject]:
    """Return all services of the cluster.

    Raises:
        NotChecked: The cluster has no service.

    """
    services = _read_active_services(context)
    if not services:
        raise NotChecked(f"there is no service in {context.aws_name('cluster')}")
    return services


def _read_active_services(context: DoctorContext) -> list[JsonObject]:
    """Return the services of the cluster without inactive ones (ListServices, DescribeServices)."""
    cluster = context.aws_name("cluster")
    ecs = context.clients.client(ECS)
    arns = sorted(default_on_codes(_NO_CLUSTER, lambda: ecs.list_services(cluster=cluster)["serviceArns"], []))
    services: list[JsonObject] = []
    for start in range(0, len(arns), _MAX_SERVICES):
        services += ecs.describe_services(cluster=cluster, services=arns[start : start + _MAX_SERVICES])["services"]
    return [service for service in services if service["status"] != "INACTIVE"]


def read_task_definitions(context: DoctorContext) -> list[JsonObject]:
    """Return the task definition that each service runs (DescribeTaskDefinition)."""
    ecs = context.clients.client(ECS)
    arns = dict.fromkeys(service["taskDefinition"] for service in read_services(context))
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


def read_images(context: DoctorContext) -> list[PrivateImage]:
    """Return each image that is in a private ECR registry, and whether a task could pull it.

    Raises:
        NotApplicable: No image is in a private ECR registry.

    """
    images_and_accounts = {
        (image, definition["taskDefinitionArn"].split(":")[4])
        for definition in read_task_definitions(context)
        for image in images_of(definition)
    }
    checked = [
        check_image(context.clients, image, account, must_answer=True) for image, account in sorted(images_and_accounts)
    ]
    if not (private_images := [image for image in checked if image]):
        raise NotApplicable("no image lies in a private ECR")
    return private_images


def read_deployment_outcomes(context: DoctorContext) -> dict[str, tuple[str, str]]:
    """Return how the newest deployment of each service ended, and ECS's reason (ListServiceDeployments)."""
    ecs, cluster = context.clients.client(ECS), context.aws_name("cluster")
    return {
        service["serviceName"]: newest_deployment_status(ecs, cluster, service["serviceName"])
        for service in read_services(context)
    }


def read_waiting_hooks(context: DoctorContext) -> dict[str, JsonObject]:
    """Return by service the lifecycle hook at which its deployment waits (DescribeServiceDeployments).

    Services without such a deployment are left out.
    """
    ecs = context.clients.client(ECS)
    hooks = {service["serviceName"]: read_awaited_hook(ecs, service) for service in read_services(context)}
    return {name: hook for name, hook in hooks.items() if hook}


def read_stopped_tasks(context: DoctorContext) -> list[StoppedTasks]:
    """Return the tasks that stopped by themselves, by service (ListTasks, DescribeTasks).

    ECS lists a stopped task for one hour.
    """
    services = read_services(context)
    cluster = context.aws_name("cluster")
    ecs = context.clients.client(ECS)
    arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    tasks: list[JsonObject] = []
    for start in range(0, len(arns), _MAX_TASKS):
        tasks += ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + _MAX_TASKS])["tasks"]
    unwanted = [task for task in tasks if _stopped_by_itself(task)]
    return [_stopped_tasks_of(context, service, unwanted) for service in services]


def _stopped_tasks_of(context: DoctorContext, service: JsonObject, tasks: list[JsonObject]) -> StoppedTasks:
    """Return the tasks of one service among these stopped tasks, and a diagnosis of the last one."""
    name = service["serviceName"]
    own_tasks = [task for task in tasks if task.get("group") == f"service:{name}"]
    current = [task for task in own_tasks if is_current(task, service)]
    if stopping_has_ended(current, service, context.now):
        current = []
    diagnosis = None
    if current:
        newest = max(current, key=lambda task: str(task.get("stoppedAt") or ""))
        ecs, cluster = context.clients.client(ECS), context.aws_name("cluster")
        diagnosis = diagnose(ecs, cluster, name, newest["taskDefinitionArn"])
    return StoppedTasks(service, len(current), diagnosis, len(own_tasks) - len(current))


def is_current(task: JsonObject, service: JsonObject) -> bool:
    """Return whether a stopped task counts for a current deployment.

    That is so if the deployment is in progress, or was created before the task stopped.
    """
    stopped_at = task.get("stoppedAt")
    for deployment in service["deployments"]:
        if deployment["taskDefinition"] == task["taskDefinitionArn"]:
            is_over = deployment.get("rolloutState") == "COMPLETED"
            if not is_over or stopped_at is None or stopped_at >= deployment["createdAt"]:
                return True
    return False


def stopping_has_ended(stopped: list[JsonObject], service: JsonObject, now: float) -> bool:
    """Return whether the tasks of a service have ceased to stop by themselves.

    That is so if all tasks run again, and the last stop is longer ago than the longest time between two
    stops: in a loop, the next stop would have come by now.
    """
    stop_times = sorted(task["stoppedAt"].timestamp() for task in stopped if task.get("stoppedAt"))
    if not stop_times or len(stop_times) < len(stopped) or not is_steady(service):
        return False
    pauses = (later - earlier for earlier, later in pairwise(stop_times))
    return bool(now - stop_times[-1] > max(pauses, default=0.0))


def is_steady(service: JsonObject) -> bool:
    """Return whether the service's current deployment is complete, and all its tasks run."""
    states = {
        deployment.get("rolloutState") for deployment in service["deployments"] if deployment["status"] == "PRIMARY"
    }
    return states == {"COMPLETED"} and bool(service["runningCount"] >= service["desiredCount"])


def _stopped_by_itself(task: JsonObject) -> bool:
    """Return whether a task stopped by itself: not by ECS, by the user, or by a Spot interruption."""
    reason = str(task.get("stoppedReason", ""))
    return task.get("stopCode") not in _EXPECTED_STOP_CODES and not reason.startswith(_EXPECTED_STOP_REASONS)


def read_log_groups(context: DoctorContext) -> set[str]:
    """Return the names of the log groups that the tasks could write to (DescribeLogGroups)."""
    logs = context.clients.client(CloudWatchLogs)
    prefix = context.aws_name("ecs-logs")
    return {group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]}
