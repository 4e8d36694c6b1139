"""Lifecycle hooks at which a deployment that shifts traffic waits for a person: until when, and how to go on.

botocore 1.44.5 ecs, DeploymentLifecycleHookDetail and ContinueServiceDeployment.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import (
    ErrorCategory,
    categorize,
    default_if_unsupported,
    describe_error,
)
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.resources.ecs.service_deployments import primary_deployment
from provisioner.resources.ecs.traffic_shifts import strategy_of
from provisioner.service_clients import ECS

_COMPLETED = "COMPLETED"
# botocore DeploymentLifecycleHookStatus, and the default timeout of a hook in minutes.
_AWAITING_ACTION, _DEFAULT_HOOK_MINUTES = "AWAITING_ACTION", 1440.0
_REGION_FIELD = 3


def read_awaited_hook(ecs: ECS, service: JsonObject) -> JsonObject:
    """Return `{"Waits": ...}` if a deployment waits for a person at a lifecycle hook (DescribeServiceDeployments).

    The value says in words which hook it is and how to go on. If the call is denied, the result is
    `{"Unheard": ...}` with the reason. The result is empty, without a call, if ECS shifts no traffic for the
    service or the deployment is complete.
    """
    arn = service.get("currentServiceDeployment")
    is_open = primary_deployment(service).get("rolloutState", _COMPLETED) != _COMPLETED
    if not (arn and is_open and strategy_of(service)):
        return {}
    no_deployments: JsonObject = {"serviceDeployments": []}
    try:
        reply = default_if_unsupported(
            lambda: ecs.describe_service_deployments(serviceDeploymentArns=[arn]), no_deployments
        )
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return {"Unheard": f"whether it waits for you at a lifecycle hook is not known: {describe_error(error)}"}
    hook = next((describe_awaited_hook(deployment) for deployment in reply["serviceDeployments"]), "")
    return {"Waits": hook} if hook else {}


def describe_awaited_hook(deployment: JsonObject) -> str:
    """Return in words at which hook a deployment waits for a person, until when, and how to go on.

    "" if it waits at none. `deployment` is as DescribeServiceDeployments returns it.
    """
    arn = str(deployment.get("serviceDeploymentArn", ""))
    hooks = deployment.get("lifecycleHookDetails") or []
    hook = next((each for each in hooks if each.get("status") == _AWAITING_ACTION), None)
    if hook is None:
        return ""
    deadline, since = "", _waiting_since(deployment, hook)
    if expires_at := hook.get("expiresAt"):
        action = hook.get("timeoutAction", "ROLLBACK")
        deadline = f" until {_utc_minute(expires_at)}, when ECS takes {action}"
    region = arn.split(":")[3] if arn.count(":") > _REGION_FIELD else ""
    stage = deployment.get("lifecycleStage", "?")
    return (
        f"it waits for you at the hook {hook['hookId']} ({stage}){since}{deadline}: "
        f"`aws ecs continue-service-deployment --service-deployment-arn {arn} --hook-id {hook['hookId']} "
        f"--action CONTINUE --region {region}` lets it go on, `--action ROLLBACK` sends it back"
    )


def _waiting_since(deployment: JsonObject, hook: JsonObject) -> str:
    """Return since when a hook waits, in words; "" if that cannot be known.

    AWS returns only the end of the wait. The start follows from it if all hooks have the same timeout.
    """
    hooks = (deployment.get("deploymentConfiguration") or {}).get("lifecycleHooks") or []
    limits = (each.get("timeoutConfiguration") or {} for each in hooks if each.get("targetType") == "PAUSE")
    minutes = {float(limit.get("timeoutInMinutes", _DEFAULT_HOOK_MINUTES)) for limit in limits}
    if len(minutes) != 1 or not hook.get("expiresAt"):
        return ""
    return f" since {_utc_minute(hook['expiresAt'] - timedelta(minutes=minutes.pop()))}"


def _utc_minute(moment: datetime) -> str:
    """Return a moment in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
