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
from provisioner.emulator.patches.ecs_services import find_service
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
    service = find_service(call, call.params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    rollouts = service.rollouts
    if statuses := call.params.get("status"):
        rollouts = [rollout for rollout in rollouts if rollout.status in statuses]
    rollouts = [rollout for rollout in rollouts if _is_within(rollout, call.params.get("createdAt", {}))]
    first = int(call.params.get("nextToken") or 0)
    last = first + int(call.params.get("maxResults") or _PAGE)
    briefs = [rollout_brief(service, rollout) for rollout in rollouts[first:last]]
    return {"serviceDeployments": briefs, **({"nextToken": str(last)} if last < len(rollouts) else {})}


def _is_within(rollout: Rollout, bounds: dict[str, datetime]) -> bool:
    """Return whether a rollout was created between the bounds `after` and `before`."""
    # moto's parser returns UTC times without a time zone
    after = bounds.get("after", datetime.fromtimestamp(0)).replace(tzinfo=UTC).timestamp()
    before = bounds.get("before", datetime.fromtimestamp(2**33)).replace(tzinfo=UTC).timestamp()
    return after <= rollout.created <= before


@always.before("ecs", "DescribeServiceDeployments")
def describe_deployments(call: Call) -> Reply | None:
    """Describe service deployments; list unknown ARNs as failures."""
    by_arn = {rollout.arn: (service, rollout) for service, rollout in _rollouts(call)}
    arns = call.params["serviceDeploymentArns"]
    views = [rollout_view(*by_arn[arn]) for arn in arns if arn in by_arn]
    missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in by_arn]
    return {"serviceDeployments": views, "failures": missing}


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
            scheduler.fail_deployment(service, rollout.deployment, "Deployment stopped by user.", rolls_back=back)
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
        hook = rollout.progress.awaited if rollout.progress and rollout.finished is None else None
        if hook is None or hook.id != call.params["hookId"]:
            message = f"The lifecycle hook {call.params['hookId']} does not await an action."
            raise AwsError("InvalidParameterException", message)
        strategies.resolve_hook(service, rollout, hook, action, scheduler.settle)
        return {"serviceDeploymentArn": arn}
    raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")


@always.before("ecs", "DescribeServiceRevisions")
def describe_revisions(call: Call) -> Reply | None:
    """Describe service revisions; list unknown ARNs as failures."""
    by_arn: dict[str, dict[str, Any]] = {}
    for service, rollout in _rollouts(call):
        by_arn[rollout.deployment.revision] = revision_view(service, rollout.deployment)
    arns = call.params["serviceRevisionArns"]
    missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in by_arn]
    return {"serviceRevisions": [by_arn[arn] for arn in arns if arn in by_arn], "failures": missing}
