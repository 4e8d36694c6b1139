"""The running tasks of a service, and whether ECS Exec can open a session in each."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject

CALLS = {"ecs": ("DescribeServices ml-api-cluster-{suffix}", "ListTasks", "DescribeTasks ml-api-cluster-{suffix}")}
# botocore DescribeTasks: the most tasks in one call.
_MOST = 100
# The managed agent that ECS adds to a container for ECS Exec (botocore ecs, ManagedAgentName).
_AGENT = "ExecuteCommandAgent"


@dataclass(frozen=True)
class RunningTask:
    """A running task and its main container; `is_open` says whether the agent of ECS Exec runs in it."""

    cluster: str
    id: str
    container: str
    runtime: str
    is_open: bool

    @property
    def target(self) -> str:
        """The target of a Session Manager session with the container (ECS developer guide, ECS Exec)."""
        return f"ecs:{self.cluster.rpartition('/')[2]}_{self.id}_{self.runtime}"


@dataclass(frozen=True)
class ServiceTasks:
    """The running tasks of a service; `allows_entry` says whether ECS Exec is enabled for new tasks."""

    allows_entry: bool
    tasks: tuple[RunningTask, ...]

    @property
    def open_ones(self) -> tuple[RunningTask, ...]:
        """The tasks in which a session can be opened now."""
        return tuple(task for task in self.tasks if task.is_open)


def service_tasks(clients: Clients, cluster: str, service: str) -> ServiceTasks | None:
    """Return the running tasks of a service, or None if there is no such service.

    Calls DescribeServices, ListTasks and DescribeTasks.
    """
    ecs = clients.client("ecs")
    found = ecs.describe_services(cluster=cluster, services=[service])["services"]
    actual = next(iter(sorted(found, key=lambda one: one.get("status") != "ACTIVE")), None)
    if actual is None:
        return None
    arns = ecs.list_tasks(cluster=cluster, serviceName=actual["serviceName"])["taskArns"][:_MOST]
    told = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    name = next((one["containerName"] for one in actual.get("loadBalancers", [])), "")
    running = (one for one in told if one["lastStatus"] == "RUNNING" and one.get("containers"))
    return ServiceTasks(bool(actual.get("enableExecuteCommand")), tuple(_task(one, name) for one in running))


def _task(task: JsonObject, name: str) -> RunningTask:
    named = (one for one in task["containers"] if one["name"] == name)
    container: JsonObject = next(named, task["containers"][0])
    agents = {one["name"]: one["lastStatus"] for one in container.get("managedAgents", [])}
    return RunningTask(
        task["clusterArn"],
        task["taskArn"].rpartition("/")[2],
        container["name"],
        container.get("runtimeId", ""),
        agents.get(_AGENT) == "RUNNING",
    )
