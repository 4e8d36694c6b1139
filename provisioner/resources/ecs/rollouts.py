"""The rollouts of a service: its deployments, newest first, with the task definition that each deployed."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from tenacity import stop_after_delay

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, describe_error
from provisioner.engine.calls.polling import wait_until_due
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.execution.managed_resource import consistency_seconds_left
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.described_services import describe_services
from provisioner.resources.ecs.service_deployments import list_deployments, primary_deployment, task_definitions_of
from provisioner.service_clients import ECS

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the source.
CALLS = {
    "ecs": ("DescribeServiceRevisions", "ListServiceDeployments", "UpdateService ml-api-cluster-{suffix}"),
}
# How many of the newest deployments are read: those of some weeks, for a busy team.
MAX_ROLLOUTS = 200

Reply = TypeVar("Reply")
WarningListener = Callable[[str, str], None]
_HINT_IF_DENIED = "The revision that the service runs tells how it ends; why it fails, the tasks alone."


def _ignore_warning(*_: str) -> None:
    """Ignore a message."""


@dataclass(frozen=True)
class Rollout:
    """One deployment: its task definition, status, reason and start (wall-clock seconds)."""

    arn: str
    revision: str
    status: str
    reason: str
    created_at: float


def deployment_arns(clients: Clients, cluster: str, service: str, warn: WarningListener = _ignore_warning) -> list[str]:
    """Return the ARNs of all deployments of a service, newest first (ListServiceDeployments).

    Empty if an emulator does not know the call, or if it is denied; `warn` is then called with the reason.
    """
    list_own = partial(list_deployments, clients.client(ECS), cluster, service)
    return [str(deployment["serviceDeploymentArn"]) for deployment in unless_denied(list_own, warn) or ()]


def list_rollouts(
    clients: Clients,
    cluster: str,
    service: str,
    known_arns: Set[str] = frozenset(),
    warn: WarningListener = _ignore_warning,
) -> list[Rollout] | None:
    """Return the newest deployments of a service, newest first (ListServiceDeployments).

    None if an emulator does not know the call, or if it is denied; `warn` is then called with the reason.
    `known_arns` are the ARNs of deployments to leave out.
    """

    def read() -> list[Rollout] | None:
        listed = list_deployments(clients.client(ECS), cluster, service)
        if listed is None:
            return None
        deployments = [each for each in listed if each["serviceDeploymentArn"] not in known_arns][:MAX_ROLLOUTS]
        targets = (each["targetServiceRevisionArn"] for each in deployments)
        task_definitions = task_definitions_of(clients.client(ECS), targets)
        return [_as_rollout(each, task_definitions.get(each["targetServiceRevisionArn"], "")) for each in deployments]

    return unless_denied(read, warn)


def unless_denied(call: Callable[[], Reply | None], warn: WarningListener = _ignore_warning) -> Reply | None:
    """Return the reply of a call, or None if the call is denied; then `warn` is called with the reason."""
    try:
        return call()
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        warn(f"ECS's own word for the deployment is not heard: {describe_error(error)}", _HINT_IF_DENIED)
        return None


def _as_rollout(actual: JsonObject, revision: str) -> Rollout:
    """Return a deployment from ListServiceDeployments as a rollout of a task definition."""
    arn, reason = actual["serviceDeploymentArn"], actual.get("statusReason", "")
    return Rollout(arn, revision, actual["status"], reason, actual["createdAt"].timestamp())


def force_new_deployment(clients: Clients, cluster: str, service: str, former_id: str) -> None:
    """Force exactly one deployment with new tasks of the same revision (UpdateService).

    If a reply is lost, the retry first looks for a new primary deployment, as long as ECS may hide one, and
    sends the call again only if there is none. `former_id` is the id of the primary deployment so far.
    """
    ecs = clients.client(ECS)
    lost_at: list[float] = []

    def has_begun() -> bool | None:
        primaries = (primary_deployment(each) for each in describe_services(ecs, service, cluster))
        return any(primary and primary["id"] != former_id for primary in primaries) or None

    def force_unless_begun() -> Any:
        window = consistency_seconds_left(clients, lost_at[-1] if lost_at else 0.0)
        if RetryPolicy(clients.clock, stop_after_delay(window), wait=wait_until_due(0)).poll(has_begun):
            return
        try:
            ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)
        except Exception as error:
            lost_at[:] = [clients.clock.wall()] if categorize(error) is ErrorCategory.LOST else []
            raise

    call_with_retry(clients, force_unless_begun)
