"""One-off tasks: a task of no service runs one command with the service's configuration and then ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from provisioner.engine.calls.clients import Clients
from provisioner.engine.execution.consistency import RecentResources
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.deployment_diagnosis import MAX_TASKS, Diagnosis, StoppedContainer
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.tags import lower_case_pairs
from provisioner.service_clients import ECS
from state.errors import ProvisionerError

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ContainerOverrideTypeDef, TaskOverrideTypeDef

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {
    "ecs": (
        "DescribeTasks",
        "ListTasks",
        "RunTask ml-api-*taskdef*-{suffix}",
        "StopTask ml-api-cluster-{suffix}",
        "TagResource task=ml-api-cluster-{suffix}",
    )
}
# Marks the tasks that `run` started. A cluster holds the tasks of one stack only.
STARTED_BY = "ml-api-run"
# How far this machine's clock may be from the clock of ECS, in seconds.
CLOCK_SKEW_SECONDS = 60.0
# For so many seconds ECS surely still describes a task that has ended; it does for about an hour (ECS API
# reference, DescribeTasks).
DESCRIBED_FOR_SECONDS = 3000.0
ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"


@dataclass(frozen=True)
class Command:
    """A command line, the capacity provider that it runs on, and what its task has otherwise than the service's.

    Attributes:
        environment: The values of variables, which may be secret, by name.
        cpu: The CPU units of the task; None is the number of the revision, as for `memory`.
        memory: The MiB of the task.
        image: The image of the container; "" is that of the revision.

    """

    arguments: tuple[str, ...] = field(repr=False)
    capacity_provider: str = ON_DEMAND
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cpu: int | None = None
    memory: int | None = None
    image: str = ""

    def overrides(self, container: str) -> TaskOverrideTypeDef:
        """Return the overrides of RunTask by which a container of this name runs the command."""
        own: ContainerOverrideTypeDef = {"name": container, "command": self.arguments}
        if self.environment:
            own["environment"] = [{"name": name, "value": value} for name, value in sorted(self.environment.items())]
        overrides: TaskOverrideTypeDef = {"containerOverrides": [own]}
        if self.cpu is not None:
            overrides["cpu"] = str(self.cpu)
        if self.memory is not None:
            overrides["memory"] = str(self.memory)
        return overrides

    def is_run_by(self, task: JsonObject, container: str) -> bool:
        """Return whether a described task runs the command in the container of this name, with all that it has."""
        if self.image and self.image not in [each.get("image") for each in task["containers"]]:
            return False
        described = task.get("overrides", {})
        own: JsonObject = next(
            (each for each in described.get("containerOverrides", []) if each["name"] == container), {}
        )
        environment = {variable["name"]: variable["value"] for variable in own.get("environment", [])}
        size = tuple(int(described[key]) if described.get(key) else None for key in ("cpu", "memory"))
        return (tuple(own.get("command", ())), environment, size) == (
            self.arguments,
            dict(self.environment),
            (self.cpu, self.memory),
        )


@dataclass(frozen=True)
class StandaloneTask:
    """A one-off task as DescribeTasks returned it, with the name of the service's container in it."""

    actual: JsonObject
    container: str

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return str(self.actual["taskArn"])

    @property
    def id(self) -> str:
        """The last part of the task's ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def has_stopped(self) -> bool:
        """Whether the task has ended."""
        return bool(self.actual["lastStatus"] == "STOPPED")

    @property
    def exit_code(self) -> int | None:
        """The exit code of the service's container, or None if the container never ran."""
        containers = self.actual["containers"]
        return next((each.get("exitCode") for each in containers if each["name"] == self.container), None)

    @property
    def was_reclaimed(self) -> bool:
        """Whether AWS took the Spot capacity of the task back."""
        return bool(self.actual.get("stopCode") == "SpotInterruption")

    @property
    def diagnosis(self) -> Diagnosis:
        """How the task and its containers ended."""
        stopped = tuple(
            StoppedContainer(container["name"], container.get("exitCode"), container.get("reason", ""))
            for container in self.actual["containers"]
        )
        return Diagnosis(task_id=self.id, stop_reason=str(self.actual.get("stoppedReason", "")), containers=stopped)


def start_task(
    clients: Clients,
    cluster: str,
    running: RunningRevision,
    command: Command,
    token: str,
    tags: Mapping[str, str],
    recent: RecentResources | None = None,
) -> StandaloneTask:
    """Start a task that runs one command, with the service's network, roles, secrets and image (RunTask).

    Args:
        clients: The connection to AWS.
        cluster: Name or ARN of the cluster.
        running: The service and the revision whose configuration the task gets.
        command: The command line, its capacity provider and its overrides.
        token: Client token. Sent twice with the same token, the call starts one task.
        tags: Tags of the task.
        recent: Roles and other resources made so recently that ECS may not know them yet; a refusal that
            names one of them is retried.

    Raises:
        ProvisionerError: If ECS starts no task.

    """
    name = str(running.container["name"])
    ecs = clients.client(ECS)
    call = partial(
        ecs.run_task,
        cluster=cluster,
        taskDefinition=running.arn,
        count=1,
        networkConfiguration=running.service["networkConfiguration"],
        capacityProviderStrategy=[{"capacityProvider": command.capacity_provider, "weight": 1}],
        overrides=command.overrides(name),
        startedBy=STARTED_BY,
        clientToken=token,
        enableECSManagedTags=True,
        tags=lower_case_pairs(tags),
    )
    reply = call_with_retry(clients, call, recent)
    if not reply["tasks"]:
        failures = reply["failures"]
        reasons = ", ".join(f"{each.get('reason')} {each.get('detail', '')}".strip() for each in failures)
        hint = "Without --spot it runs on demand." if command.capacity_provider == SPOT else "Run it again later."
        raise ProvisionerError(f"ECS starts no task: {reasons or 'it gives no reason'}.", hint)
    return StandaloneTask(reply["tasks"][0], name)


def find_running(
    clients: Clients, cluster: str, family: str, container: str, command: Command
) -> StandaloneTask | None:
    """Return a running task of a family that an earlier `run` of the same command started; None if there is none.

    Calls ListTasks and DescribeTasks.
    """
    ecs = clients.client(ECS)
    arns = ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY, desiredStatus="RUNNING")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns[:MAX_TASKS])["tasks"] if arns else []
    of_family = (task for task in tasks if task["taskDefinitionArn"].rpartition("/")[2].startswith(f"{family}:"))
    of_command = (task for task in of_family if command.is_run_by(task, container))
    return next((StandaloneTask(task, container) for task in of_command), None)


def find_started(
    clients: Clients, cluster: str, container: str, command: Command, since: float, task: str
) -> StandaloneTask | None:
    """Return the task of an earlier, interrupted `run` of the same command; None if ECS has none.

    If `task` is its ARN, that task is described. If `task` is "", the newest stopped task is returned that ran
    the command and was created at `since` (wall-clock seconds) or later.
    """
    ecs = clients.client(ECS)
    arns = [task] if task else []
    if not task:
        arns = ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY, desiredStatus="STOPPED")["taskArns"]
    chunks = (arns[start : start + MAX_TASKS] for start in range(0, len(arns), MAX_TASKS))
    tasks = [each for chunk in chunks for each in ecs.describe_tasks(cluster=cluster, tasks=chunk)["tasks"]]
    matching = [each for each in tasks if task or _runs_command_since(each, container, command, since)]
    newest = max(matching, key=lambda each: each["createdAt"], default=None)
    return StandaloneTask(newest, container) if newest else None


def _runs_command_since(task: JsonObject, container: str, command: Command, since: float) -> bool:
    """Return whether a task runs the command and was created at `since` (wall-clock seconds) or later."""
    if not command.is_run_by(task, container):
        return False
    started: float = task["createdAt"].timestamp()
    return started >= since - CLOCK_SKEW_SECONDS


def read_task(clients: Clients, cluster: str, task: StandaloneTask) -> StandaloneTask:
    """Return the current state of a task (DescribeTasks), or `task` while AWS does not show the task yet."""
    ecs = clients.client(ECS)
    tasks = ecs.describe_tasks(cluster=cluster, tasks=[task.arn])["tasks"]
    return StandaloneTask(tasks[0], task.container) if tasks else task


def stop_task(clients: Clients, cluster: str, task: StandaloneTask) -> None:
    """Stop a task (StopTask): its containers are asked to end and are killed after 30 s. Safe to repeat."""
    ecs = clients.client(ECS)
    call_with_retry(clients, partial(ecs.stop_task, cluster=cluster, task=task.arn, reason="stopped by who ran it"))
