"""The services, what their tasks are made of, and which of them have stopped."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from provisioner.doctor.finding import Doc, Sought, Unseen
from provisioner.doctor.patient import Patient, unless
from provisioner.kinds.ecs.diagnosis import CALLS as DIAGNOSIS
from provisioner.kinds.ecs.diagnosis import Diagnosis, diagnose, verdict
from provisioner.kinds.ecs.strategies import awaited

# What is asked here, by service: `policy` grants it.
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
# botocore DescribeServices, DescribeTasks: so many in one call.
_SERVICES, _TASKS = 10, 100
# What ECS or the user did in order, and what Spot takes back: no sign of an illness.
_IN_ORDER = ("UserInitiated", "SpotInterruption", "TerminationNotice")
_ORDERED = ("Scaling activity", "Task stopped by")


@dataclass(frozen=True)
class Stops:
    """A service, how many of its tasks stopped unasked in the last hour, and how the last one ended.

    `past` are history: their deployment is over, or all of it runs again.
    """

    service: Doc
    count: int
    last: Diagnosis | None = None
    past: int = 0


def standing(p: Patient) -> Sought:
    """The main service."""
    name = p.named("service")
    found = _listed(p)
    return Sought(f"service {name}", next((one for one in found if one["serviceName"] == name), None))


def services(p: Patient) -> list[Doc]:
    """All services of the cluster; Unseen where there is none."""
    found = _listed(p)
    if not found:
        raise Unseen(f"there is no service in {p.named('cluster')}")
    return found


def _listed(p: Patient) -> list[Doc]:
    """ListServices, DescribeServices; those that have ended are left out."""
    cluster = p.named("cluster")
    ecs = p.clients.client("ecs")
    arns = sorted(unless(_NO_CLUSTER, lambda: ecs.list_services(cluster=cluster)["serviceArns"], []))
    found: list[Doc] = []
    for at in range(0, len(arns), _SERVICES):
        found += ecs.describe_services(cluster=cluster, services=arns[at : at + _SERVICES])["services"]
    return [one for one in found if one["status"] != "INACTIVE"]


def definitions(p: Patient) -> list[Doc]:
    """DescribeTaskDefinition of what each service runs."""
    ecs = p.clients.client("ecs")
    arns = dict.fromkeys(one["taskDefinition"] for one in services(p))
    return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


def verdicts(p: Patient) -> dict[str, tuple[str, str]]:
    """ListServiceDeployments: how the newest deployment of each service ended, and ECS's reason."""
    ecs, cluster = p.clients.client("ecs"), p.named("cluster")
    return {one["serviceName"]: verdict(ecs, cluster, one["serviceName"]) for one in services(p)}


def waits(p: Patient) -> dict[str, Doc]:
    """DescribeServiceDeployments: at which hook each deployment waits that ECS leads over; none at none."""
    ecs = p.clients.client("ecs")
    told = ((one["serviceName"], awaited(ecs, one)) for one in services(p))
    return {name: doc for name, doc in told if doc}


def stops(p: Patient) -> list[Stops]:
    """ListTasks, DescribeTasks: what stopped in the last hour, which is as long as ECS tells of it."""
    cluster = p.named("cluster")
    ecs = p.clients.client("ecs")
    arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"] if services(p) else []
    tasks: list[Doc] = []
    for at in range(0, len(arns), _TASKS):
        tasks += ecs.describe_tasks(cluster=cluster, tasks=arns[at : at + _TASKS])["tasks"]
    found = []
    for service in services(p):
        name = service["serviceName"]
        mine = [one for one in tasks if one.get("group") == f"service:{name}" and _is_unwanted(one)]
        now = [one for one in mine if _is_of_now(one, service)]
        now = [] if has_ended(now, service, p.now) else now
        newest = max(now, key=lambda one: str(one.get("stoppedAt") or ""), default=None)
        last = diagnose(ecs, cluster, name, newest["taskDefinitionArn"]) if newest else None
        found.append(Stops(service, len(now), last, len(mine) - len(now)))
    return found


def _is_of_now(task: Doc, service: Doc) -> bool:
    """Whether it was of a deployment that is not over, and did not stop before that one came up."""
    stopped = task.get("stoppedAt")
    mine = (one for one in service["deployments"] if one["taskDefinition"] == task["taskDefinitionArn"])
    return any(
        one.get("rolloutState") != "COMPLETED" or stopped is None or stopped >= one["createdAt"]
        for one in mine
    )


def has_ended(stopped: list[Doc], service: Doc, now: float) -> bool:
    """Return whether tasks of what runs stop no more.

    All run again, and have for longer than two stops were ever apart: in a loop the next is due by then.
    """
    ends = sorted(one["stoppedAt"].timestamp() for one in stopped if one.get("stoppedAt"))
    if not ends or len(ends) < len(stopped) or not is_up(service):
        return False
    return bool(now - ends[-1] > max((later - earlier for earlier, later in pairwise(ends)), default=0.0))


def is_up(service: Doc) -> bool:
    """Return whether the deployment that is wanted has arrived, and all tasks that are to run do."""
    states = {one.get("rolloutState") for one in service["deployments"] if one["status"] == "PRIMARY"}
    return states == {"COMPLETED"} and bool(service["runningCount"] >= service["desiredCount"])


def _is_unwanted(task: Doc) -> bool:
    said = str(task.get("stoppedReason", ""))
    return task.get("stopCode") not in _IN_ORDER and not said.startswith(_ORDERED)


def log_groups(p: Patient) -> set[str]:
    """DescribeLogGroups: those that the tasks could write to."""
    logs = p.clients.client("logs")
    prefix = p.named("ecs-logs")
    return {one["logGroupName"] for one in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]}
