"""Security groups and rules: internet to load balancer, load balancer to tasks, tasks to database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources.ec2.default_security_group import BareDefaultEgress, BareDefaultIngress
from provisioner.resources.ec2.security_groups import EgressRule, IngressRule, NoDefaultEgress, SecurityGroup
from provisioner.settings import Settings, Workload
from provisioner.steps.lookups import StackLookups
from provisioner.steps.nat import ANYWHERE
from provisioner.steps.vpc import Network

POSTGRES = 5432


@dataclass(frozen=True)
class TaskSecurityGroup:
    """The security group of one service's tasks, and the rules that its traffic needs."""

    group: ResourceHandle
    rules: list[ResourceHandle]


@dataclass(frozen=True)
class Security:
    """The security groups: of the load balancer, the database, the endpoints, and each service's tasks."""

    balancer: ResourceHandle
    database: ResourceHandle
    endpoints: ResourceHandle | None
    ingress_rules: list[ResourceHandle]
    tasks: dict[str, TaskSecurityGroup]


def security(step: Step, settings: Settings, lookups: StackLookups, network: Network) -> Security:
    """Declare the security groups and their rules.

    Each rule is a resource of its own. No group keeps the allow-all egress rule that AWS adds.
    """
    main, *others = settings.workloads
    balancer = _group(step, network, main, "sg-alb", "ml-api load balancer")
    tasks = {main.name: _group(step, network, main, "sg-tasks", "ml-api tasks")}
    database = _group(step, network, main, "sg-db", "ml-api database")
    doors = _doors(step, settings, lookups, balancer)
    tasks |= {one.name: _group(step, network, one, "sg-tasks", "ml-api tasks") for one in others}
    endpoints, to_endpoints = _endpoints(step, settings, network, tasks)
    members = {
        one.name: TaskSecurityGroup(
            tasks[one.name],
            [*_paths(step, one, balancer, tasks[one.name], database), *to_endpoints.get(one.name, [])],
        )
        for one in settings.workloads
    }
    if settings.network.bare_default_group:
        step(BareDefaultIngress, "default-group-ingress", VpcId=network.vpc.id)
        step(BareDefaultEgress, "default-group-egress", VpcId=network.vpc.id)
    return Security(balancer, database, endpoints, doors, members)


def _endpoints(
    step: Step, settings: Settings, network: Network, tasks: dict[str, ResourceHandle]
) -> tuple[ResourceHandle | None, dict[str, list[ResourceHandle]]]:
    """Declare the group of the interface endpoints, which exist without NAT, and a rule in it per service.

    With NAT there are no interface endpoints, and nothing is declared.
    """
    if settings.network.nat != "none":
        return None, {}
    group = _group(step, network, settings.workloads[0], "sg-endpoints", "ml-api endpoints")
    ways = {}
    for one in settings.workloads:
        peer, name = tasks[one.name], one.named("endpoints-in")
        given = f"from {peer.logical_id}"
        ways[one.name] = [_rule(step, IngressRule, name, group, 443, given, ReferencedGroupId=peer.id)]
    return group, ways


def _doors(step: Step, settings: Settings, lookups: StackLookups, balancer: ResourceHandle) -> list[ResourceHandle]:
    """Declare the rules that let requests reach the load balancer.

    CloudFront's prefix list counts as 55 of the 60 rules of a group, so it fits in once. So one rule opens
    both ports, and a domain can be added or removed while requests pass.
    """
    if settings.edge.guard == "require" or settings.edge.vpc_origin:
        addresses = {"PrefixListId": lookups.edge_addresses}
        return [_rule(step, IngressRule, "alb-edge", balancer, (80, 443), "from CloudFront", **addresses)]
    return [
        _rule(step, IngressRule, "alb-http", balancer, 80, "HTTP from anywhere", CidrIpv4=ANYWHERE),
        _rule(step, IngressRule, "alb-https", balancer, 443, "HTTPS from anywhere", CidrIpv4=ANYWHERE),
    ]


def _paths(
    step: Step, one: Workload, balancer: ResourceHandle, tasks: ResourceHandle, database: ResourceHandle
) -> list[ResourceHandle]:
    """Declare the rules from the load balancer to a service's tasks, and on to AWS and the database."""
    out = one.named("tasks-out")
    return [
        _between(step, one, "alb-tasks", balancer, tasks, one.container.port),
        _rule(step, EgressRule, out, tasks, 443, "images, logs, secrets, AWS", CidrIpv4=ANYWHERE),
        _between(step, one, "tasks-db", tasks, database, POSTGRES),
    ]


def _group(step: Step, network: Network, one: Workload, noun: str, description: str) -> ResourceHandle:
    group = step(SecurityGroup, one.named(noun), noun=noun, Description=description, VpcId=network.vpc.id)
    step(NoDefaultEgress, one.named(f"{noun}-no-default-egress"), GroupId=group.id)
    return group


def _rule(
    step: Step,
    resource_type: type[ResourceType],
    name: str,
    group: ResourceHandle,
    ports: int | tuple[int, int],
    description: str,
    after: Iterable[ResourceHandle] = (),
    **peer: Any,
) -> ResourceHandle:
    first, last = ports if isinstance(ports, tuple) else (ports, ports)
    return step(
        resource_type,
        f"rule-{name}",
        GroupId=group.id,
        IpProtocol="tcp",
        FromPort=first,
        ToPort=last,
        Description=description,
        depends_on=after,
        **peer,
    )


def _between(
    step: Step, one: Workload, name: str, source: ResourceHandle, target: ResourceHandle, port: int
) -> ResourceHandle:
    """Declare the rules from one group to another on one port, and return the ingress rule.

    The ingress rule waits for the egress rule.
    """
    there, here = one.named(f"{name}-out"), one.named(f"{name}-in")
    out = _rule(step, EgressRule, there, source, port, f"to {target.logical_id}", ReferencedGroupId=target.id)
    described = f"from {source.logical_id}"
    return _rule(step, IngressRule, here, target, port, described, after=[out], ReferencedGroupId=source.id)
