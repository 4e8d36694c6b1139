"""A task that no service keeps: it runs one command as a task of the service would, and ends by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from provisioner.engine.clients import Clients
from provisioner.engine.patience import insist
from provisioner.engine.refs import Doc
from provisioner.engine.young import Newborns
from provisioner.errors import ProvisionerError
from provisioner.kinds.ecs.diagnosis import TASKS, Diagnosis, Ended
from provisioner.kinds.ecs.revisions import Running
from provisioner.kinds.tags import low_pairs

# What is asked here, by service: `policy` grants it. tests/test_calls.py holds it against the source.
CALLS = {
    "ecs": (
        "DescribeTasks",
        "ListTasks",
        "RunTask ml-api-*taskdef*-{suffix}",
        "StopTask ml-api-cluster-{suffix}",
        "TagResource task=ml-api-cluster-{suffix}",
    )
}
# Who started it: a cluster is one stack's.
STARTED_BY = "ml-api-run"
# How far the clock of who begins may be from ECS's, in seconds.
SKEW = 60.0
# ECS tells of a task that has ended for about an hour (ECS API reference, DescribeTasks).
TOLD_FOR = 3000.0
ON_DEMAND, SPOT = "FARGATE", "FARGATE_SPOT"


@dataclass(frozen=True)
class Command:
    """What is to run, and on which capacity."""

    words: tuple[str, ...]
    provider: str = ON_DEMAND


@dataclass(frozen=True)
class Alone:
    """A task as AWS tells it."""

    doc: Doc
    container: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.doc["taskArn"])

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def has_stopped(self) -> bool:
        """Whether it has ended."""
        return bool(self.doc["lastStatus"] == "STOPPED")

    @property
    def exit_code(self) -> int | None:
        """That of the service's container; None where it never ran."""
        codes = (one.get("exitCode") for one in self.doc["containers"] if one["name"] == self.container)
        return next(codes, None)

    @property
    def was_reclaimed(self) -> bool:
        """Whether AWS took its Spot capacity back."""
        return bool(self.doc.get("stopCode") == "SpotInterruption")

    @property
    def end(self) -> Diagnosis:
        """How it ended."""
        listed = self.doc["containers"]
        ends = tuple(Ended(one["name"], one.get("exitCode"), one.get("reason", "")) for one in listed)
        return Diagnosis(task=self.id, stopped=str(self.doc.get("stoppedReason", "")), containers=ends)


def begin(
    clients: Clients,
    cluster: str,
    now: Running,
    command: Command,
    token: str,
    tags: Mapping[str, str],
    newborns: Newborns | None = None,
) -> Alone:
    """RunTask, with the service's network, roles, secrets and image; sent twice, it starts one.

    `newborns` are roles and others that may not be known everywhere yet.
    """
    name = str(now.container["name"])
    ecs = clients.client("ecs")
    call = partial(
        ecs.run_task,
        cluster=cluster,
        taskDefinition=now.arn,
        count=1,
        networkConfiguration=now.service["networkConfiguration"],
        capacityProviderStrategy=[{"capacityProvider": command.provider, "weight": 1}],
        overrides={"containerOverrides": [{"name": name, "command": list(command.words)}]},
        startedBy=STARTED_BY,
        clientToken=token,
        enableECSManagedTags=True,
        tags=low_pairs(tags),
    )
    reply = insist(clients, call, newborns)
    if not reply["tasks"]:
        told = ", ".join(f"{one.get('reason')} {one.get('detail', '')}".strip() for one in reply["failures"])
        hint = "Without --spot it runs on demand." if command.provider == SPOT else "Run it again later."
        raise ProvisionerError(f"ECS starts no task: {told or 'it gives no reason'}.", hint)
    return Alone(reply["tasks"][0], name)


def under_way(clients: Clients, cluster: str, now: Running, command: Command) -> Alone | None:
    """ListTasks, DescribeTasks: one that runs this very command already, of a run that was cut off."""
    ecs = clients.client("ecs")
    arns = ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY, desiredStatus="RUNNING")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns[:TASKS])["tasks"] if arns else []
    family, name = str(now.revision["family"]), str(now.container["name"])
    mine = (one for one in tasks if one["taskDefinitionArn"].rpartition("/")[2].startswith(f"{family}:"))
    same = (one for one in mine if _said(one, name) == command.words)
    return next((Alone(one, name) for one in same), None)


def ended(
    clients: Clients, cluster: str, now: Running, command: Command, since: float, task: str
) -> Alone | None:
    """ListTasks, DescribeTasks: the task that a run began and saw no end of; None where ECS tells of none.

    By `task`, its ARN, where that is known, else the newest that said this very command since that second.
    """
    ecs, name = clients.client("ecs"), str(now.container["name"])
    arns = [task] if task else []
    if not task:
        arns = ecs.list_tasks(cluster=cluster, startedBy=STARTED_BY, desiredStatus="STOPPED")["taskArns"]
    some = (arns[at : at + TASKS] for at in range(0, len(arns), TASKS))
    told = [one for part in some for one in ecs.describe_tasks(cluster=cluster, tasks=part)["tasks"]]
    same = [one for one in told if task or _is_since(one, name, command, since)]
    newest = max(same, key=lambda one: one["createdAt"], default=None)
    return Alone(newest, name) if newest else None


def _is_since(task: Doc, container: str, command: Command, since: float) -> bool:
    return _said(task, container) == command.words and task["createdAt"].timestamp() >= since - SKEW


def _said(task: Doc, container: str) -> tuple[str, ...]:
    overrides: Iterable[Doc] = task.get("overrides", {}).get("containerOverrides", [])
    return next((tuple(one.get("command", ())) for one in overrides if one["name"] == container), ())


def look(clients: Clients, cluster: str, alone: Alone) -> Alone:
    """DescribeTasks: how it is now; as before, while AWS does not show it yet."""
    ecs = clients.client("ecs")
    told = ecs.describe_tasks(cluster=cluster, tasks=[alone.arn])["tasks"]
    return Alone(told[0], alone.container) if told else alone


def stop(clients: Clients, cluster: str, alone: Alone) -> None:
    """StopTask: its containers are asked to end, and killed after 30 s; may be called again."""
    ecs = clients.client("ecs")
    insist(clients, partial(ecs.stop_task, cluster=cluster, task=alone.arn, reason="stopped by who ran it"))
