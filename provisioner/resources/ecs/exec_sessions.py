"""The running tasks of a service, and sessions that ECS Exec and Session Manager open with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.service_clients import ECS, SSM

_FORWARDING_DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
# The calls of this module, by service: `policy` grants them.
CALLS = {
    "ecs": (
        "DescribeServices ml-api-cluster-{suffix}",
        "DescribeTasks ml-api-cluster-{suffix}",
        "ExecuteCommand ml-api-cluster-{suffix}",
        "ListTasks",
    ),
    "ssm": (f"StartSession task=ml-api-cluster-{{suffix}}/* document={_FORWARDING_DOCUMENT}",),
}
# botocore DescribeTasks: the most tasks in one call.
_MAX_TASKS = 100
# The managed agent that ECS adds to a container for ECS Exec (botocore ecs, ManagedAgentName).
_EXEC_AGENT = "ExecuteCommandAgent"
# ECS developer guide, ECS Exec; botocore ssm StartSession: the agent has not started yet, or has ended.
AGENT_NOT_READY = ("TargetNotConnectedException", "TargetNotConnected", "InvalidParameterException")


@dataclass(frozen=True)
class RunningTask:
    """A running task with its main container.

    `can_be_entered` says whether the agent of ECS Exec runs in the container.
    """

    cluster: str
    id: str
    container: str
    runtime_id: str
    can_be_entered: bool

    @property
    def target(self) -> str:
        """The target of a Session Manager session with the container (ECS developer guide, ECS Exec)."""
        return f"ecs:{self.cluster.rpartition('/')[2]}_{self.id}_{self.runtime_id}"


@dataclass(frozen=True)
class ServiceTasks:
    """The running tasks of a service; `is_exec_enabled` says whether ECS Exec is enabled for new tasks."""

    is_exec_enabled: bool
    tasks: tuple[RunningTask, ...]

    @property
    def enterable(self) -> tuple[RunningTask, ...]:
        """The tasks in which a session can be opened now."""
        return tuple(task for task in self.tasks if task.can_be_entered)


def read_service_tasks(clients: Clients, cluster: str, service: str) -> ServiceTasks | None:
    """Return the running tasks of a service, or None if there is no such service.

    Calls DescribeServices, ListTasks and DescribeTasks.
    """
    ecs = clients.client(ECS)
    services = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not services:
        return None
    actual = next((each for each in services if each.get("status") == "ACTIVE"), services[0])
    arns = ecs.list_tasks(cluster=cluster, serviceName=actual["serviceName"])["taskArns"][:_MAX_TASKS]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    container = next((balancer["containerName"] for balancer in actual.get("loadBalancers", [])), "")
    running = [task for task in tasks if task["lastStatus"] == "RUNNING" and task.get("containers")]
    running_tasks = tuple(_as_running_task(task, container) for task in running)
    return ServiceTasks(bool(actual.get("enableExecuteCommand")), running_tasks)


def _as_running_task(task: JsonObject, main_container: str) -> RunningTask:
    """Return a described task with its container of this name, else with its first container."""
    named = (each for each in task["containers"] if each["name"] == main_container)
    container: JsonObject = next(named, task["containers"][0])
    agents = {agent["name"]: agent["lastStatus"] for agent in container.get("managedAgents", [])}
    return RunningTask(
        task["clusterArn"],
        task["taskArn"].rpartition("/")[2],
        container["name"],
        container.get("runtimeId", ""),
        agents.get(_EXEC_AGENT) == "RUNNING",
    )


def open_command_session(clients: Clients, task: RunningTask, command_line: str) -> Mapping[str, str]:
    """Open a session that runs a command line in a container (ECS ExecuteCommand).

    The result has the keys of StartSession: `SessionId`, `StreamUrl`, `TokenValue`.
    """
    ecs = clients.client(ECS)
    session = ecs.execute_command(
        cluster=task.cluster, task=task.id, container=task.container, command=command_line, interactive=True
    )["session"]
    return {"SessionId": session["sessionId"], "StreamUrl": session["streamUrl"], "TokenValue": session["tokenValue"]}


def open_forwarding_session(
    clients: Clients, task: RunningTask, host: str, port: int, local_port: int
) -> Mapping[str, str]:
    """Open a session that forwards a local port through a task to a port of a host (Systems Manager StartSession).

    The result has the keys `SessionId`, `StreamUrl` and `TokenValue`.
    """
    ssm = clients.client(SSM)
    parameters = {"host": [host], "portNumber": [str(port)], "localPortNumber": [str(local_port)]}
    session = ssm.start_session(Target=task.target, DocumentName=_FORWARDING_DOCUMENT, Parameters=parameters)
    return {name: str(session[name]) for name in ("SessionId", "StreamUrl", "TokenValue")}
