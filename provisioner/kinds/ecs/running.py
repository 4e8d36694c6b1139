"""The tasks of a service that run, and whether each can be entered."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.clients import Clients
from provisioner.engine.refs import Doc

CALLS = {
    "ecs": ("DescribeServices ml-api-cluster-{suffix}", "ListTasks", "DescribeTasks ml-api-cluster-{suffix}")
}
# botocore DescribeTasks: so many in one call.
_MOST = 100
# The part of the SSM agent that ECS puts beside a container (botocore ecs, ManagedAgentName).
_AGENT = "ExecuteCommandAgent"


@dataclass(frozen=True)
class Running:
    """One task that runs, and its container that serves; `is_open` where ECS Exec's agent runs in it."""

    cluster: str
    id: str
    container: str
    runtime: str
    is_open: bool

    @property
    def target(self) -> str:
        """What Session Manager calls the container (ECS developer guide, ECS Exec)."""
        return f"ecs:{self.cluster.rpartition('/')[2]}_{self.id}_{self.runtime}"


@dataclass(frozen=True)
class Serving:
    """A service: whether its new tasks can be entered, and those that run."""

    allows_entry: bool
    tasks: tuple[Running, ...]

    @property
    def open_ones(self) -> tuple[Running, ...]:
        """Those that can be entered now."""
        return tuple(task for task in self.tasks if task.is_open)


def serving(clients: Clients, cluster: str, service: str) -> Serving | None:
    """DescribeServices, ListTasks, DescribeTasks; None where there is no such service."""
    ecs = clients.client("ecs")
    found = ecs.describe_services(cluster=cluster, services=[service])["services"]
    doc = next(iter(sorted(found, key=lambda one: one.get("status") != "ACTIVE")), None)
    if doc is None:
        return None
    arns = ecs.list_tasks(cluster=cluster, serviceName=doc["serviceName"])["taskArns"][:_MOST]
    told = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    name = next((one["containerName"] for one in doc.get("loadBalancers", [])), "")
    running = (one for one in told if one["lastStatus"] == "RUNNING" and one.get("containers"))
    return Serving(bool(doc.get("enableExecuteCommand")), tuple(_task(one, name) for one in running))


def _task(task: Doc, name: str) -> Running:
    named = (one for one in task["containers"] if one["name"] == name)
    container: Doc = next(named, task["containers"][0])
    agents = {one["name"]: one["lastStatus"] for one in container.get("managedAgents", [])}
    return Running(
        task["clusterArn"],
        task["taskArn"].rpartition("/")[2],
        container["name"],
        container.get("runtimeId", ""),
        agents.get(_AGENT) == "RUNNING",
    )
