"""Deployment strategies with which ECS itself shifts traffic between two target groups.

botocore 1.44.5 ecs, DeploymentConfiguration.strategy and LoadBalancer.advancedConfiguration. ECS sets the
weights of the production rule in each deployment. Setting them back breaks what runs (aws/aws-cdk#36649).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import (
    ErrorCategory,
    categorize,
    code_of,
    default_if_unsupported,
    describe_error,
)
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Refusal
from provisioner.names import name_of
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND

_ROLLING = "ROLLING"
# The member of a service's load balancer that configures the traffic shift.
TRAFFIC_SHIFT_KEY = "advancedConfiguration"
_COMPLETED = "COMPLETED"
# botocore ecs DescribeServices: the most services in one call.
_MAX_SERVICES = 10
_SECONDS_PER_MINUTE = 60.0
# botocore DeploymentLifecycleHookStatus, and the default timeout of a hook in minutes.
_AWAITING_ACTION, _DEFAULT_HOOK_MINUTES = "AWAITING_ACTION", 1440.0
_REGION_FIELD = 3


@dataclass(frozen=True)
class TrafficShift:
    """Two target groups between which ECS shifts a service's traffic, and the listener rules that it uses."""

    service: str
    strategy: str
    own_group: str
    alternate_group: str
    rules: tuple[str, ...] = ()

    @property
    def groups(self) -> frozenset[str]:
        """Both target groups."""
        return frozenset({self.own_group, self.alternate_group})

    def controls(self, arn: str, groups: Set[str]) -> bool:
        """Return whether ECS decides how a rule or listener forwards to these target groups.

        It does if all of them are its own groups, and if either it was told of the rule (`arn`) or its
        alternate group is among them.
        """
        return groups <= self.groups and (arn in self.rules or self.alternate_group in groups)

    @property
    def description(self) -> str:
        """Who shifts the traffic, for a message."""
        return f"ECS, by the strategy {self.strategy} of {self.service}"


def strategy_of(service: JsonObject) -> str:
    """Return the strategy by which ECS shifts traffic; "" if tasks are replaced within one target group."""
    told = (service.get("deploymentConfiguration") or {}).get("strategy")
    return "" if told in (None, _ROLLING) else str(told)


def traffic_shifts(service: JsonObject) -> Iterator[TrafficShift]:
    """Yield each pair of target groups between which ECS shifts a service's traffic.

    `service` is as DescribeServices returns it.
    """
    strategy = strategy_of(service)
    for one in service.get("loadBalancers", []) if strategy else ():
        told = one.get(TRAFFIC_SHIFT_KEY) or {}
        if alternate := told.get("alternateTargetGroupArn"):
            rules = (told.get("productionListenerRule"), told.get("testListenerRule"))
            asked = tuple(filter(None, rules))
            yield TrafficShift(service["serviceName"], strategy, one["targetGroupArn"], alternate, asked)


def find_shift_between(ecs: Any, suffix: str, groups: Set[str]) -> TrafficShift | None:
    """Return the traffic shift of ECS that covers all of these target groups, or None.

    Asks ListServices and DescribeServices for the services of the stack's cluster.
    """
    found = (
        one for service in _services_of_cluster(ecs, name_of("cluster", suffix)) for one in traffic_shifts(service)
    )
    return next((one for one in found if groups <= one.groups), None)


def find_shift_with(ecs: Any, suffix: str, group: str) -> TrafficShift | None:
    """Return the traffic shift of ECS that a target group takes part in, or None.

    Asks ListServices and DescribeServices for the services of the stack's cluster.
    """
    found = (
        one for service in _services_of_cluster(ecs, name_of("cluster", suffix)) for one in traffic_shifts(service)
    )
    return next((one for one in found if group in one.groups), None)


def _services_of_cluster(ecs: Any, cluster: str) -> Iterable[JsonObject]:
    # All services of the cluster; none if the cluster is missing.
    try:
        arns = sorted(ecs.list_services(cluster=cluster)["serviceArns"])
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return
    for at in range(0, len(arns), _MAX_SERVICES):
        yield from ecs.describe_services(cluster=cluster, services=arns[at : at + _MAX_SERVICES])["services"]


def rolling_strategy_command(balancers: Iterable[JsonObject], cluster: str, service: str) -> str:
    """Return the AWS CLI command that makes ECS replace tasks within one target group again.

    `balancers` is the service's `loadBalancers`.
    """
    plain = ({key: one[key] for key in one if key != TRAFFIC_SHIFT_KEY} for one in balancers)
    entries = " ".join(",".join(f"{key}={value}" for key, value in one.items()) for one in plain)
    return (
        f"aws ecs update-service --cluster {cluster} --service {service} --deployment-configuration "
        f"strategy=ROLLING --load-balancers {entries}"
    )


def production_rules(service: JsonObject) -> Iterator[tuple[str, Refusal]]:
    """Yield each rule that ECS uses to shift traffic, and its listener, with why it may not be deleted."""
    for shift in traffic_shifts(service):
        command = rolling_strategy_command(service["loadBalancers"], service["clusterArn"], service["serviceName"])
        found = Refusal(
            f"it goes, and {shift.description}, leads requests by it: they would go to {shift.own_group} alone, where "
            "perhaps no task runs, and each deployment would fail",
            f"Have ECS replace tasks in their group first: `{command}`. Or name another rule to ECS.",
        )
        for arn in shift.rules:
            yield arn, found
            yield arn.replace(":listener-rule/", ":listener/").rpartition("/")[0], found


def strategy_seconds(service: JsonObject) -> float:
    """Return how many seconds the strategy adds to a deployment: its steps and its bake time.

    The time that a hook waits for a person is not counted.
    """
    if not strategy_of(service):
        return 0.0
    told = service["deploymentConfiguration"]
    minutes = float(told.get("bakeTimeInMinutes") or 0)
    # The defaults of botocore LinearConfiguration and CanaryConfiguration.
    if told["strategy"] == "LINEAR":
        linear = told.get("linearConfiguration") or {}
        steps = math.ceil(100 / float(linear.get("stepPercent", 10))) - 1
        minutes += steps * float(linear.get("stepBakeTimeInMinutes", 6))
    if told["strategy"] == "CANARY":
        canary = told.get("canaryConfiguration") or {}
        minutes += float(canary.get("canaryBakeTimeInMinutes", 10))
    return minutes * _SECONDS_PER_MINUTE


def read_awaited_hook(ecs: Any, service: JsonObject) -> JsonObject:
    """Return at which hook a deployment waits for a person, as `Waits` (DescribeServiceDeployments).

    If the call is denied, the result has `Unheard` with the reason instead. The result is empty, without a
    call, if ECS shifts no traffic for the service or the deployment is complete.
    """
    arn = service.get("currentServiceDeployment")
    primary = (one for one in service.get("deployments", []) if one["status"] == "PRIMARY")
    is_open = any(one.get("rolloutState", _COMPLETED) != _COMPLETED for one in primary)
    if not (arn and is_open and strategy_of(service)):
        return {}
    nothing: JsonObject = {"serviceDeployments": []}
    try:
        reply = default_if_unsupported(lambda: ecs.describe_service_deployments(serviceDeploymentArns=[arn]), nothing)
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return {"Unheard": f"whether it waits for you at a lifecycle hook is not known: {describe_error(error)}"}
    words = next((describe_awaited_hook(one) for one in reply["serviceDeployments"]), "")
    return {"Waits": words} if words else {}


def describe_deployment_in_progress(service: JsonObject, expected_revision: str) -> str:
    """Return which deployment of a service is in progress and who asked for it, in words; "" if none is.

    Args:
        service: What DescribeServices returns, with `Waits` or `Unheard` from `awaited`.
        expected_revision: The ARN of the revision that the last run of this state asked for.

    """
    primary: JsonObject = next((one for one in service.get("deployments", []) if one["status"] == "PRIMARY"), {})
    if primary.get("rolloutState") != "IN_PROGRESS":
        return ""
    revision = str(primary.get("taskDefinition", ""))
    whose = "which the last run asked for"
    if revision != expected_revision:
        whose = "which the last run did not ask for: somebody else did"
    counts = f"{service.get('runningCount', 0)} of {service.get('desiredCount', 0)} tasks run"
    strategy = strategy_of(service)
    by = f", by the strategy {strategy} that was set on the service by hand" if strategy else ""
    waits = service.get("Waits") or service.get("Unheard", "")
    end = f": {waits}" if waits else ""
    return f"ECS deploys {revision.rpartition('/')[2]}, {whose}{by} ({counts}){end}"


def describe_awaited_hook(deployment: JsonObject) -> str:
    """Return at which hook a deployment waits for a person, until when, and how to go on; "" at none.

    `deployment` is as DescribeServiceDeployments returns it.
    """
    arn = str(deployment.get("serviceDeploymentArn", ""))
    hooks = deployment.get("lifecycleHookDetails") or []
    hook = next((one for one in hooks if one.get("status") == _AWAITING_ACTION), None)
    if hook is None:
        return ""
    end, since = "", _waiting_since(deployment, hook)
    if until := hook.get("expiresAt"):
        action = hook.get("timeoutAction", "ROLLBACK")
        end = f" until {_utc_minute(until)}, when ECS takes {action}"
    region = arn.split(":")[3] if arn.count(":") > _REGION_FIELD else ""
    stage = deployment.get("lifecycleStage", "?")
    return (
        f"it waits for you at the hook {hook['hookId']} ({stage}){since}{end}: "
        f"`aws ecs continue-service-deployment --service-deployment-arn {arn} --hook-id {hook['hookId']} "
        f"--action CONTINUE --region {region}` lets it go on, `--action ROLLBACK` sends it back"
    )


def _waiting_since(deployment: JsonObject, hook: JsonObject) -> str:
    """Return since when a hook waits, in words; "" if that cannot be known.

    AWS returns only the end of the wait. The start follows from it if all hooks have the same timeout.
    """
    told = (deployment.get("deploymentConfiguration") or {}).get("lifecycleHooks") or []
    limits = (one.get("timeoutConfiguration") or {} for one in told if one.get("targetType") == "PAUSE")
    minutes = {float(one.get("timeoutInMinutes", _DEFAULT_HOOK_MINUTES)) for one in limits}
    if len(minutes) != 1 or not hook.get("expiresAt"):
        return ""
    return f" since {_utc_minute(hook['expiresAt'] - timedelta(minutes=minutes.pop()))}"


def _utc_minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
