"""The rollouts of a service: its deployments, newest first, with the task definition that each deployed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
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
from provisioner.resources.ecs.service import describe_services
from provisioner.resources.ecs.service_deployments import list_deployments

# The calls of this module, by service: `policy` grants them. tests/resources/test_declared_calls.py compares
# them with the
# source.
CALLS = {
    "ecs": ("DescribeServiceRevisions", "ListServiceDeployments", "UpdateService ml-api-cluster-{suffix}"),
}
# How many of the newest deployments are read: those of some weeks, for a busy team.
MAX_ROLLOUTS = 200
# botocore ecs DescribeServiceRevisions: the most revisions in one call.
_MAX_SERVICE_REVISIONS = 20

Reply = TypeVar("Reply")
WarningListener = Callable[[str, str], None]
_HINT_IF_DENIED = "The revision that the service runs tells how it ends; why it fails, the tasks alone."


def _ignore_warning(*_: str) -> None:
    """Ignore a message."""


@dataclass(frozen=True)
class Rollout:
    """One deployment: the task definition that it deployed, when it began, and how it ended."""

    arn: str
    revision: str
    status: str
    reason: str
    created_at: float


def deployment_arns(clients: Clients, cluster: str, service: str, warn: WarningListener = _ignore_warning) -> list[str]:
    """Return the ARNs of all deployments of a service, newest first (ListServiceDeployments).

    Empty if an emulator does not know the call, or if it is denied; `warn` is then called with the reason.
    """
    ask = partial(list_deployments, clients.client("ecs"), cluster, service)
    return [str(one["serviceDeploymentArn"]) for one in unless_denied(ask, warn) or ()]


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

    def ask() -> list[Rollout] | None:
        listed = list_deployments(clients.client("ecs"), cluster, service)
        if listed is None:
            return None
        new = [one for one in listed if one["serviceDeploymentArn"] not in known_arns][:MAX_ROLLOUTS]
        task_definitions = _task_definitions_of(clients, (one["targetServiceRevisionArn"] for one in new))
        return [_as_rollout(one, task_definitions.get(one["targetServiceRevisionArn"], "")) for one in new]

    return unless_denied(ask, warn)


def unless_denied(ask: Callable[[], Reply | None], warn: WarningListener = _ignore_warning) -> Reply | None:
    """Return the answer of a call, or None if the call is denied; `warn` is then called with the reason.

    The deployment can then still be followed by what the service runs.
    """
    try:
        return ask()
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        warn(f"ECS's own word for the deployment is not heard: {describe_error(error)}", _HINT_IF_DENIED)
        return None


def _as_rollout(actual: JsonObject, revision: str) -> Rollout:
    at = actual["createdAt"].timestamp()
    return Rollout(actual["serviceDeploymentArn"], revision, actual["status"], actual.get("statusReason", ""), at)


def _task_definitions_of(clients: Clients, arns: Iterable[str]) -> dict[str, str]:
    """Return the task definition ARN of each service revision (DescribeServiceRevisions)."""
    ecs = clients.client("ecs")
    found: dict[str, str] = {}
    for some in _chunks(list(dict.fromkeys(arns)), _MAX_SERVICE_REVISIONS):
        told = ecs.describe_service_revisions(serviceRevisionArns=some)["serviceRevisions"]
        found |= {one["serviceRevisionArn"]: one["taskDefinition"] for one in told}
    return found


def _chunks(names: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def force_new_deployment(clients: Clients, cluster: str, service: str, former_id: str) -> None:
    """Force a deployment with new tasks of the same revision (UpdateService), and only one.

    `former_id` is the id of the primary deployment before. If a reply is lost, the retry first looks for a new
    primary deployment, as long as ECS may hide one, and sends the call again only if there is none.
    """
    ecs = clients.client("ecs")
    lost: list[float] = []

    def begun() -> bool | None:
        deployments = [one for actual in describe_services(ecs, service, cluster) for one in actual["deployments"]]
        return any(one["status"] == "PRIMARY" and one["id"] != former_id for one in deployments) or None

    def once() -> Any:
        window = consistency_seconds_left(clients, lost[-1] if lost else 0.0)
        if RetryPolicy(clients.clock, stop_after_delay(window), wait=wait_until_due(0)).poll(begun):
            return
        try:
            ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)
        except Exception as error:
            lost[:] = [clients.clock.wall()] if categorize(error) is ErrorCategory.LOST else []
            raise

    call_with_retry(clients, once)
