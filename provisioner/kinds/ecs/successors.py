"""Whether a newer deployment took the place of one: then nothing is said against what that one brought."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from provisioner.engine.refs import Doc

# botocore ecs ServiceDeploymentStatus. What a newer deployment replaces ends so within a second
# (kayac/ecspresso#899), and so does one that somebody stopped.
STOPPED = "STOPPED"
# botocore ServiceDeploymentRollbackMonitorsStatus, of the circuit breaker and of alarms.
_TRIPPED = "TRIGGERED"
_JUDGES = ("deploymentCircuitBreaker", "alarms")
# What to do about one that was stopped by hand: nothing is wrong with what it brought, as far as is known.
NOT_JUDGED = (
    "ECS has not judged the image: somebody stopped the deployment (CloudTrail tells who called "
    "StopServiceDeployment), or a lifecycle hook did. Run the same command again to deploy it anew."
)


@dataclass(frozen=True)
class Successor:
    """The deployment that took the place of another: its revision of the task, and its wall-clock second."""

    revision: str
    at: float


def has_failed(doc: Doc) -> bool:
    """Whether ECS judged a service deployment itself: by its tasks, or by alarms."""
    return bool(doc.get("rollback")) or _TRIPPED in _verdicts(doc)


def was_stopped_by_hand(doc: Doc) -> bool:
    """Return whether a service deployment that ended badly was ended by neither its tasks nor alarms.

    Somebody called StopServiceDeployment, which goes back as the circuit breaker does, or a lifecycle hook
    said no. Where ECS does not tell what its own checks came to, it is taken for their verdict.
    """
    verdicts = _verdicts(doc)
    return bool(verdicts) and _TRIPPED not in verdicts


def _verdicts(doc: Doc) -> list[str]:
    return [doc[judge].get("status", "") for judge in _JUDGES if doc.get(judge)]


def wanted_instead(service: Doc, revision: str, known: Set[str] = frozenset()) -> Successor | None:
    """The deployment of a revision other than this one, and than those `known`, that a service is to run.

    None where this one has failed: then ECS itself went back. `known` are the revisions that the service
    had before, one of which ECS goes back to.
    """
    listed = service["deployments"]
    states = [one.get("rolloutState") for one in listed if one["taskDefinition"] == revision]
    primary = next((one for one in listed if one["status"] == "PRIMARY"), None)
    if primary is None or "FAILED" in states or primary["taskDefinition"] in {revision, *known}:
        return None
    return Successor(primary["taskDefinition"], primary["createdAt"].timestamp())
