"""ECS service deployments and service revisions, which moto lacks: the history and progress of rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from provisioner.emulator.ecs import scheduler, strategies
from provisioner.emulator.ecs.model import Rollout, Service, services
from provisioner.emulator.ecs.views import revision_view, rollout_brief, rollout_view
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.patches.ecs_services import find
from provisioner.emulator.wire import Call

# The default of maxResults: botocore ecs, ListServiceDeployments.
_PAGE = 20


def _rollouts(call: Call) -> Iterator[tuple[Service, Rollout]]:
    """Yield every rollout with its service."""
    for service in services.of(call).values():
        for rollout in service.rollouts:
            yield service, rollout


@always.before("ecs", "ListServiceDeployments")
def list_deployments(call: Call) -> Reply | None:
    """List the deployments of a service, newest first, filtered by status and time, in pages."""
    service = find(call, call.params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    found = service.rollouts
    if wanted := call.params.get("status"):
        found = [rollout for rollout in found if rollout.status in wanted]
    found = [rollout for rollout in found if _within(rollout, call.params.get("createdAt", {}))]
    first = int(call.params.get("nextToken") or 0)
    last = first + int(call.params.get("maxResults") or _PAGE)
    told = [rollout_brief(service, rollout) for rollout in found[first:last]]
    return {"serviceDeployments": told, **({"nextToken": str(last)} if last < len(found) else {})}


def _within(rollout: Rollout, bounds: dict[str, datetime]) -> bool:
    """Return whether a rollout was created between the bounds `after` and `before`."""
    # moto's parser returns UTC times without a time zone
    after = bounds.get("after", datetime.fromtimestamp(0)).replace(tzinfo=UTC).timestamp()
    before = bounds.get("before", datetime.fromtimestamp(2**33)).replace(tzinfo=UTC).timestamp()
    return after <= rollout.created <= before


@always.before("ecs", "DescribeServiceDeployments")
def describe_deployments(call: Call) -> Reply | None:
    """Describe service deployments; list unknown ARNs as failures."""
    there = {rollout.arn: (service, rollout) for service, rollout in _rollouts(call)}
    asked = call.params["serviceDeploymentArns"]
    told = [rollout_view(*there[arn]) for arn in asked if arn in there]
    missing = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in there]
    return {"serviceDeployments": told, "failures": missing}


@always.before("ecs", "StopServiceDeployment")
def stop_deployment(call: Call) -> Reply | None:
    """Stop a deployment that is in progress, by default with a rollback (botocore ServiceModel, stopType)."""
    arn = call.params["serviceDeploymentArn"]
    for service, rollout in _rollouts(call):
        if rollout.arn == arn:
            if rollout.finished is not None:
                message = "Unable to stop the service deployment: it is not in progress."
                raise AwsError("ConflictException", message)
            back = call.params.get("stopType", "ROLLBACK") == "ROLLBACK"
            scheduler.trip(service, rollout.deployment, "Deployment stopped by user.", back=back)
            return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")


@always.before("ecs", "ContinueServiceDeployment")
def continue_deployment(call: Call) -> Reply | None:
    """Let a deployment that waits at a lifecycle hook continue or roll back.

    Source: botocore ServiceModel, action.
    """
    arn, action = call.params["serviceDeploymentArn"], call.params.get("action", "CONTINUE")
    for service, rollout in _rollouts(call):
        if rollout.arn != arn:
            continue
        hook = rollout.journey.awaited if rollout.journey and rollout.finished is None else None
        if hook is None or hook.id != call.params["hookId"]:
            message = f"The lifecycle hook {call.params['hookId']} does not await an action."
            raise AwsError("InvalidParameterException", message)
        strategies.resolve(service, rollout, hook, action, scheduler.settle)
        return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")


@always.before("ecs", "DescribeServiceRevisions")
def describe_revisions(call: Call) -> Reply | None:
    """Describe service revisions; list unknown ARNs as failures."""
    there: dict[str, dict[str, Any]] = {}
    for service, rollout in _rollouts(call):
        there[rollout.deployment.revision] = revision_view(service, rollout.deployment)
    asked = call.params["serviceRevisionArns"]
    missing = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in there]
    return {"serviceRevisions": [there[arn] for arn in asked if arn in there], "failures": missing}
