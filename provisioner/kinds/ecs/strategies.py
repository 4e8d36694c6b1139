"""Strategies by which ECS itself leads requests from one target group to another, and who has chosen one.

botocore 1.44.5 ecs, DeploymentConfiguration.strategy and LoadBalancer.advancedConfiguration. ECS sets the
weights of the production rule in each deployment; who sets them back breaks what runs (aws/aws-cdk#36649).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.tagged import NO_CLUSTER
from provisioner.names import name_of

_ROLLING = "ROLLING"
# botocore ecs DescribeServices: so many in one call.
_MOST = 10


@dataclass(frozen=True)
class Shift:
    """Two target groups between which ECS leads the requests of a service, on the rules it was told of."""

    service: str
    strategy: str
    own: str
    alternate: str
    rules: tuple[str, ...] = ()

    @property
    def groups(self) -> frozenset[str]:
        """Both groups."""
        return frozenset({self.own, self.alternate})

    def leads(self, arn: str, groups: Set[str]) -> bool:
        """Return whether it decides how what leads to these groups does so: it was told of it, or uses it."""
        return groups <= self.groups and (arn in self.rules or self.alternate in groups)

    @property
    def words(self) -> str:
        """Who leads, in a message."""
        return f"ECS, by the strategy {self.strategy} of {self.service}"


def strategy_of(service: Doc) -> str:
    """Return the strategy by which ECS leads requests over; "" where it replaces tasks in their group."""
    told = (service.get("deploymentConfiguration") or {}).get("strategy")
    return "" if told in (None, _ROLLING) else str(told)


def shifts_of(service: Doc) -> Iterator[Shift]:
    """Yield each pair of groups between which ECS leads a service's requests (DescribeServices)."""
    strategy = strategy_of(service)
    for one in service.get("loadBalancers", []) if strategy else ():
        told = one.get("advancedConfiguration") or {}
        if alternate := told.get("alternateTargetGroupArn"):
            rules = (told.get("productionListenerRule"), told.get("testListenerRule"))
            asked = tuple(filter(None, rules))
            yield Shift(service["serviceName"], strategy, one["targetGroupArn"], alternate, asked)


def shift_of(ecs: Any, suffix: str, arn: str, groups: Set[str]) -> Shift | None:
    """ListServices, DescribeServices of the cluster: whose requests ECS leads on a rule, to these groups."""
    found = (one for service in _services(ecs, name_of("cluster", suffix)) for one in shifts_of(service))
    return next((one for one in found if one.leads(arn, groups)), None)


def _services(ecs: Any, cluster: str) -> Iterable[Doc]:
    try:
        arns = sorted(ecs.list_services(cluster=cluster)["serviceArns"])
    except ClientError as error:
        if code_of(error) not in NO_CLUSTER:
            raise
        return
    for at in range(0, len(arns), _MOST):
        yield from ecs.describe_services(cluster=cluster, services=arns[at : at + _MOST])["services"]
