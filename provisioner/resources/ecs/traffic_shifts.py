"""Deployment strategies with which ECS itself shifts traffic between two target groups.

botocore 1.44.5 ecs, DeploymentConfiguration.strategy and LoadBalancer.advancedConfiguration. ECS sets the
weights of the production rule in each deployment. Setting them back breaks what runs (aws/aws-cdk#36649).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import (
    code_of,
)
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Refusal
from provisioner.names import name_of
from provisioner.resources.ecs.base import CLUSTER_NOT_FOUND
from provisioner.resources.ecs.service_deployments import primary_deployment
from provisioner.service_clients import ECS

_ROLLING = "ROLLING"
# The member of a service's load balancer that configures the traffic shift.
TRAFFIC_SHIFT_KEY = "advancedConfiguration"
# botocore ecs DescribeServices: the most services in one call.
_MAX_SERVICES = 10
_SECONDS_PER_MINUTE = 60.0


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

        It does if they all belong to this traffic shift, and if the rule (`arn`) is configured in it or its
        alternate group is among them.
        """
        return groups <= self.groups and (arn in self.rules or self.alternate_group in groups)

    @property
    def description(self) -> str:
        """Who shifts the traffic, for a message."""
        return f"ECS, by the strategy {self.strategy} of {self.service}"


def strategy_of(service: JsonObject) -> str:
    """Return the strategy by which ECS shifts traffic; "" if tasks are replaced within one target group."""
    strategy = (service.get("deploymentConfiguration") or {}).get("strategy")
    return "" if strategy in (None, _ROLLING) else str(strategy)


def traffic_shifts(service: JsonObject) -> Iterator[TrafficShift]:
    """Yield each pair of target groups between which ECS shifts a service's traffic.

    `service` is as DescribeServices returns it.
    """
    strategy = strategy_of(service)
    for balancer in service.get("loadBalancers", []) if strategy else ():
        shift = balancer.get(TRAFFIC_SHIFT_KEY) or {}
        if alternate := shift.get("alternateTargetGroupArn"):
            rules = (shift.get("productionListenerRule"), shift.get("testListenerRule"))
            used_rules = tuple(filter(None, rules))
            yield TrafficShift(service["serviceName"], strategy, balancer["targetGroupArn"], alternate, used_rules)


def find_shift_between(ecs: ECS, suffix: str, groups: Set[str]) -> TrafficShift | None:
    """Return the traffic shift of ECS that covers all of these target groups, or None.

    Asks ListServices and DescribeServices for the services of the stack's cluster.
    """
    return next((shift for shift in _shifts_of_stack(ecs, suffix) if groups <= shift.groups), None)


def find_shift_with(ecs: ECS, suffix: str, group: str) -> TrafficShift | None:
    """Return the traffic shift of ECS that a target group takes part in, or None.

    Asks ListServices and DescribeServices for the services of the stack's cluster.
    """
    return next((shift for shift in _shifts_of_stack(ecs, suffix) if group in shift.groups), None)


def _shifts_of_stack(ecs: ECS, suffix: str) -> Iterator[TrafficShift]:
    """Yield the traffic shifts of all services in the stack's cluster; none if the cluster is missing."""
    for service in _services_of_cluster(ecs, name_of("cluster", suffix)):
        yield from traffic_shifts(service)


def _services_of_cluster(ecs: ECS, cluster: str) -> Iterator[JsonObject]:
    """Yield the described services of a cluster; none if the cluster is missing."""
    try:
        arns = sorted(ecs.list_services(cluster=cluster)["serviceArns"])
    except ClientError as error:
        if code_of(error) not in CLUSTER_NOT_FOUND:
            raise
        return
    for start in range(0, len(arns), _MAX_SERVICES):
        yield from ecs.describe_services(cluster=cluster, services=arns[start : start + _MAX_SERVICES])["services"]


def rolling_strategy_command(balancers: Iterable[JsonObject], cluster: str, service: str) -> str:
    """Return the AWS CLI command that makes ECS replace tasks within one target group again.

    `balancers` is the service's `loadBalancers`.
    """
    plain = ({key: balancer[key] for key in balancer if key != TRAFFIC_SHIFT_KEY} for balancer in balancers)
    entries = " ".join(",".join(f"{key}={value}" for key, value in balancer.items()) for balancer in plain)
    return (
        f"aws ecs update-service --cluster {cluster} --service {service} --deployment-configuration "
        f"strategy=ROLLING --load-balancers {entries}"
    )


def rules_in_use(service: JsonObject) -> Iterator[tuple[str, Refusal]]:
    """Yield each rule that ECS uses to shift traffic, and its listener, with why it may not be deleted."""
    for shift in traffic_shifts(service):
        command = rolling_strategy_command(service["loadBalancers"], service["clusterArn"], service["serviceName"])
        refusal = Refusal(
            f"it goes, and {shift.description}, leads requests by it: they would go to {shift.own_group} alone, where "
            "perhaps no task runs, and each deployment would fail",
            f"Have ECS replace tasks in their group first: `{command}`. Or name another rule to ECS.",
        )
        for arn in shift.rules:
            yield arn, refusal
            yield arn.replace(":listener-rule/", ":listener/").rpartition("/")[0], refusal


def strategy_seconds(service: JsonObject) -> float:
    """Return how many seconds the strategy adds to a deployment: its steps and its bake time.

    The time that a hook waits for a person is not counted.
    """
    if not strategy_of(service):
        return 0.0
    configuration = service["deploymentConfiguration"]
    minutes = float(configuration.get("bakeTimeInMinutes") or 0)
    # The defaults of botocore LinearConfiguration and CanaryConfiguration.
    if configuration["strategy"] == "LINEAR":
        linear = configuration.get("linearConfiguration") or {}
        steps = math.ceil(100 / float(linear.get("stepPercent", 10))) - 1
        minutes += steps * float(linear.get("stepBakeTimeInMinutes", 6))
    if configuration["strategy"] == "CANARY":
        canary = configuration.get("canaryConfiguration") or {}
        minutes += float(canary.get("canaryBakeTimeInMinutes", 10))
    return minutes * _SECONDS_PER_MINUTE


def describe_deployment_in_progress(service: JsonObject, expected_revision: str) -> str:
    """Return which deployment of a service is in progress and who asked for it, in words; "" if none is.

    Args:
        service: What DescribeServices returns, with `Waits` or `Unheard` from `read_awaited_hook`.
        expected_revision: The ARN of the revision that the last run of this state asked for.

    """
    primary = primary_deployment(service)
    if primary.get("rolloutState") != "IN_PROGRESS":
        return ""
    revision = str(primary.get("taskDefinition", ""))
    requested_by = "which the last run asked for"
    if revision != expected_revision:
        requested_by = "which the last run did not ask for: somebody else did"
    counts = f"{service.get('runningCount', 0)} of {service.get('desiredCount', 0)} tasks run"
    strategy = strategy_of(service)
    by_strategy = f", by the strategy {strategy} that was set on the service by hand" if strategy else ""
    awaited_hook = service.get("Waits") or service.get("Unheard", "")
    hook = f": {awaited_hook}" if awaited_hook else ""
    return f"ECS deploys {revision.rpartition('/')[2]}, {requested_by}{by_strategy} ({counts}){hook}"
