"""Whether a newer deployment superseded another one: then the revision of the older one was not judged."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from provisioner.engine.resource_graph.references import JsonObject

# botocore ecs ServiceDeploymentStatus. A deployment that a newer one replaces gets this status within a
# second (kayac/ecspresso#899), and so does a deployment that somebody stopped.
STOPPED = "STOPPED"
# botocore ServiceDeploymentRollbackMonitorsStatus, of the circuit breaker and of alarms.
_TRIGGERED = "TRIGGERED"
_MONITORS = ("deploymentCircuitBreaker", "alarms")
# The hint after a deployment was stopped by hand: as far as is known, nothing is wrong with its revision.
STOPPED_BY_HAND_HINT = (
    "ECS has not judged the image: somebody stopped the deployment (CloudTrail tells who called "
    "StopServiceDeployment), or a lifecycle hook did. Run the same command again to deploy it anew."
)


@dataclass(frozen=True)
class SupersedingDeployment:
    """The deployment that superseded another: its task definition ARN and its wall-clock start (seconds)."""

    revision: str
    created_at: float


def has_failed(actual: JsonObject) -> bool:
    """Return whether ECS itself failed a deployment: its circuit breaker or an alarm triggered."""
    return bool(actual.get("rollback")) or _TRIGGERED in _monitor_statuses(actual)


def was_stopped_by_hand(actual: JsonObject) -> bool:
    """Return whether a deployment that ended badly was ended by neither its tasks nor alarms.

    Then somebody called StopServiceDeployment, which rolls back as the circuit breaker does, or a lifecycle
    hook failed. If ECS does not return what its own checks found, they are assumed to have ended it.
    """
    verdicts = _monitor_statuses(actual)
    return bool(verdicts) and _TRIGGERED not in verdicts


def _monitor_statuses(actual: JsonObject) -> list[str]:
    # The status of the circuit breaker and of the alarms, as far as ECS returns them.
    return [actual[judge].get("status", "") for judge in _MONITORS if actual.get(judge)]


def superseding_deployment(
    service: JsonObject, revision: str, earlier_revisions: Set[str] = frozenset()
) -> SupersedingDeployment | None:
    """Return the deployment of another revision that a service is to run instead; None if there is none.

    None also if `revision` has failed: then ECS itself rolled back. `earlier_revisions` are revisions that the service
    had before; ECS rolls back to one of these, so none of them supersedes `revision`.
    """
    listed = service["deployments"]
    states = [one.get("rolloutState") for one in listed if one["taskDefinition"] == revision]
    primary = next((one for one in listed if one["status"] == "PRIMARY"), None)
    if primary is None or "FAILED" in states or primary["taskDefinition"] in {revision, *earlier_revisions}:
        return None
    return SupersedingDeployment(primary["taskDefinition"], primary["createdAt"].timestamp())
