"""The services in the stack's cluster, and the tasks of others in it, which block deleting it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.names import PROJECT, name_of
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.service_clients import ECS

# The calls of this module, for the `operations` of the cluster.
OPERATIONS = "DescribeTasks ListServices ListTasks"
# botocore ecs DescribeTasks: the most tasks in one call.
_MAX_TASKS = 100


@dataclass(frozen=True)
class ForeignTask:
    """A running task that does not belong to the stack."""

    actual: JsonObject

    @property
    def description(self) -> str:
        """The task's id and group, for a message."""
        return f"the task {self.actual['taskArn'].rpartition('/')[2]} ({self.actual.get('group', 'no group')})"

    def has_attachment(self, attachment: str) -> bool:
        """Return whether the network interface with this attachment id belongs to the task."""
        return any(each.get("id") == attachment for each in self.actual.get("attachments", []))


def cluster_blockers(ecs: ECS, suffix: str) -> list[Blocker]:
    """Return the services in the stack's cluster, and the tasks of others, as blockers.

    A service of the stack is a temporary blocker, as the teardown deletes it.
    """
    arns = ecs.list_services(cluster=name_of("cluster", suffix))["serviceArns"]
    names = [arn.rpartition("/")[2] for arn in arns]
    services = [Blocker(f"the service {name}", temporary=_is_service_of_stack(name, suffix)) for name in names]
    return services + [Blocker(task.description, temporary=False) for task in foreign_tasks(ecs, suffix)]


def foreign_tasks(ecs: ECS, suffix: str) -> Iterator[ForeignTask]:
    """Yield the running tasks that no service of the stack started (ListTasks, DescribeTasks)."""
    cluster = name_of("cluster", suffix)
    try:
        arns = ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return
    for start in range(0, len(arns), _MAX_TASKS):
        for task in ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + _MAX_TASKS])["tasks"]:
            kind, _, service = str(task.get("group", "")).partition(":")
            if kind != "service" or not _is_service_of_stack(service, suffix):
                yield ForeignTask(task)


def _is_service_of_stack(service: str, suffix: str) -> bool:
    """Return whether a service has a name of this stack: `ml-api-...-<suffix>`."""
    return service.startswith(f"{PROJECT}-") and service.endswith(f"-{suffix}")
