"""Service deployments as ECS lists them: how each ended, why, and whether a newer one superseded it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from provisioner.engine.calls.error_categories import default_if_unsupported
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.service_clients import ECS

SUCCESSFUL, ROLLED_BACK = "SUCCESSFUL", "ROLLBACK_SUCCESSFUL"
PENDING = "PENDING"
# botocore ecs ServiceDeploymentStatus. A deployment that a newer one replaces gets this status within a
# second (kayac/ecspresso#899), and so does a deployment that somebody stopped.
STOPPED = "STOPPED"
# The statuses with which the new revision does not run (terraform-provider-aws ecs/service.go).
FAILED_STATUSES = frozenset({"STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
# botocore ServiceDeploymentRollbackMonitorsStatus, of the circuit breaker and of alarms.
_TRIGGERED = "TRIGGERED"
_MONITORS = ("deploymentCircuitBreaker", "alarms")
# botocore ListServiceDeployments: the most that maxResults may be.
_MAX_DEPLOYMENTS = 100
# botocore ecs DescribeServiceRevisions: the most revisions in one call.
_MAX_SERVICE_REVISIONS = 20
# The hint after a deployment was stopped by hand: as far as is known, nothing is wrong with its revision.
STOPPED_BY_HAND_HINT = (
    "ECS has not judged the image: somebody stopped the deployment (CloudTrail tells who called "
    "StopServiceDeployment), or a lifecycle hook did. Run the same command again to deploy it again."
)


@dataclass(frozen=True)
class SupersedingDeployment:
    """The deployment that superseded another: its task definition ARN and its wall-clock start (seconds)."""

    revision: str
    created_at: float


def primary_deployment(service: JsonObject) -> JsonObject:
    """Return the primary deployment of a described service, which is the desired one; {} if there is none."""
    none: JsonObject = {}
    return next((each for each in service.get("deployments", []) if each["status"] == "PRIMARY"), none)


def rollout_state(actual: JsonObject, desired: object) -> str:
    """Return the state of the rollout of a revision: COMPLETED, IN_PROGRESS, FAILED or ROLLED_BACK.

    It is COMPLETED only if the desired number of tasks run and have this revision.

    Args:
        actual: The service as DescribeServices returns it.
        desired: The ARN of the revision. Anything else stands for the revision of the primary deployment.

    """
    primary = primary_deployment(actual)
    current = primary.get("taskDefinition")
    expected = str(desired) if str(desired).startswith("arn:") else current
    # After a failed deployment was started again, the failed one is listed beside the primary for a while.
    judged = [primary]
    if current != expected:
        judged = [each for each in actual.get("deployments", []) if each.get("taskDefinition") == expected]
    if any(deployment.get("rolloutState") == "FAILED" for deployment in judged):
        return "FAILED"
    if primary.get("rolloutState") != "COMPLETED" or actual["runningCount"] < actual["desiredCount"]:
        return "IN_PROGRESS"
    return "COMPLETED" if current == expected else "ROLLED_BACK"


def list_deployments(ecs: ECS, cluster: str, service: str) -> list[JsonObject] | None:
    """Return the deployments of the last 90 days, newest first (ListServiceDeployments).

    None if an emulator does not know the call. AWS returns 20 at a time unless asked for more.
    """
    reply: JsonObject = default_if_unsupported(
        lambda: ecs.list_service_deployments(cluster=cluster, service=service, maxResults=_MAX_DEPLOYMENTS), {}
    )
    if not reply:
        return None
    return sorted(reply["serviceDeployments"], key=lambda deployment: deployment["createdAt"].timestamp(), reverse=True)


def newest_deployment_status(ecs: ECS, cluster: str, service: str, since: float = 0.0) -> tuple[str, str]:
    """Return status and reason of the newest deployment of a service (ListServiceDeployments).

    Args:
        ecs: The ECS client.
        cluster: Name or ARN of the cluster.
        service: Name or ARN of the service.
        since: Wall-clock second; deployments that were created before it are ignored.

    Returns:
        Status and reason. Both are "" if there is no such deployment, or if an emulator does not know the
        call.

    """
    newest = _newest_deployment(ecs, cluster, service, since)
    return str(newest.get("status", "")), str(newest.get("statusReason", ""))


def has_failed_since(ecs: ECS, cluster: str, service: str, revision: str, since: float) -> bool:
    """Return whether the newest deployment since a wall-clock second is one of `revision`, and failed.

    A failed deployment of another revision is an earlier command's. An emulator that does not know
    DescribeServiceRevisions does not say which revision it is of: then it counts.
    """
    newest = _newest_deployment(ecs, cluster, service, since)
    if newest.get("status") not in FAILED_STATUSES:
        return False
    target = newest["targetServiceRevisionArn"]
    nothing: dict[str, str] = {}
    known = default_if_unsupported(lambda: task_definitions_of(ecs, [target]), nothing)
    return known.get(target, revision) == revision


def task_definitions_of(ecs: ECS, arns: Iterable[str]) -> dict[str, str]:
    """Return the task definition ARN of each service revision (DescribeServiceRevisions)."""
    task_definitions: dict[str, str] = {}
    for chunk in _chunks(list(dict.fromkeys(arns)), _MAX_SERVICE_REVISIONS):
        revisions = ecs.describe_service_revisions(serviceRevisionArns=chunk)["serviceRevisions"]
        task_definitions |= {each["serviceRevisionArn"]: each["taskDefinition"] for each in revisions}
    return task_definitions


def _chunks(names: list[str], size: int) -> Iterator[list[str]]:
    """Yield the names in lists of at most `size`."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _newest_deployment(ecs: ECS, cluster: str, service: str, since: float) -> JsonObject:
    """Return the newest deployment since a wall-clock second; {} if there is none."""
    none: JsonObject = {}
    listed = list_deployments(ecs, cluster, service) or []
    return next((each for each in listed if each["createdAt"].timestamp() >= since), none)


def has_failed(actual: JsonObject) -> bool:
    """Return whether the circuit breaker or an alarm made ECS fail a deployment."""
    return bool(actual.get("rollback")) or _TRIGGERED in _monitor_statuses(actual)


def was_stopped_by_hand(actual: JsonObject) -> bool:
    """Return whether neither the circuit breaker nor an alarm ended a deployment that did not succeed.

    Then somebody called StopServiceDeployment, which rolls back as the circuit breaker does, or a lifecycle
    hook failed. False if ECS returns the status of neither.
    """
    statuses = _monitor_statuses(actual)
    return bool(statuses) and _TRIGGERED not in statuses


def _monitor_statuses(actual: JsonObject) -> list[str]:
    """Return the status of the circuit breaker and of the alarms, as far as ECS returns them."""
    return [actual[monitor].get("status", "") for monitor in _MONITORS if actual.get(monitor)]


def superseding_deployment(
    service: JsonObject, revision: str, earlier_revisions: Set[str] = frozenset()
) -> SupersedingDeployment | None:
    """Return the deployment of another revision that a service is to run instead; None if there is none.

    None also if `revision` has failed: then ECS itself rolled back. ECS rolls back to one of the
    `earlier_revisions` of the service, so none of them supersedes `revision`.
    """
    states = [each.get("rolloutState") for each in service["deployments"] if each["taskDefinition"] == revision]
    primary = primary_deployment(service)
    if not primary or "FAILED" in states or primary["taskDefinition"] in {revision, *earlier_revisions}:
        return None
    return SupersedingDeployment(primary["taskDefinition"], primary["createdAt"].timestamp())
