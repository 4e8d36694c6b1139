"""Security groups and rules: internet to load balancer, load balancer to tasks, tasks to database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources.ec2.security_group_rules import EgressRule, IngressRule
from provisioner.resources.ec2.security_groups import (
    BareDefaultEgress,
    BareDefaultIngress,
    NoDefaultEgress,
    SecurityGroup,
)
from provisioner.settings import Settings, Workload
from provisioner.steps.lookups import StackLookups
from provisioner.steps.nat import ANYWHERE
from provisioner.steps.vpc import Network

POSTGRES_PORT = 5432


@dataclass(frozen=True)
class TaskSecurityGroup:
    """The security group of one service's tasks, and the rules that its traffic needs."""

    group: ResourceHandle
    rules: list[ResourceHandle]


@dataclass(frozen=True)
class SecurityGroups:
    """The security groups: of the load balancer, the database, the endpoints, and each service's tasks."""

    balancer: ResourceHandle
    database: ResourceHandle
    endpoints: ResourceHandle | None
    ingress_rules: list[ResourceHandle]
    tasks: dict[str, TaskSecurityGroup]


def declare_security_groups(step: Step, settings: Settings, lookups: StackLookups, network: Network) -> SecurityGroups:
    """Declare the security groups and their rules.

    Each rule is a resource of its own. No group keeps the allow-all egress rule that AWS adds.
    """
    main, *others = settings.workloads
    balancer = _declare_group(step, network, main, "sg-alb", "ml-api load balancer")
    tasks = {main.name: _declare_group(step, network, main, "sg-tasks", "ml-api tasks")}
    database = _declare_group(step, network, main, "sg-db", "ml-api database")
    balancer_rules = _declare_balancer_rules(step, settings, lookups, balancer)
    tasks |= {workload.name: _declare_group(step, network, workload, "sg-tasks", "ml-api tasks") for workload in others}
    endpoints, endpoint_rules = _declare_endpoint_group(step, settings, network, tasks)
    task_groups = {}
    for workload in settings.workloads:
        group = tasks[workload.name]
        rules = _declare_service_rules(step, workload, balancer, group, database)
        task_groups[workload.name] = TaskSecurityGroup(group, [*rules, *endpoint_rules.get(workload.name, [])])
    if settings.network.bare_default_group:
        step(BareDefaultIngress, "default-group-ingress", VpcId=network.vpc.id)
        step(BareDefaultEgress, "default-group-egress", VpcId=network.vpc.id)
    return SecurityGroups(balancer, database, endpoints, balancer_rules, task_groups)


def _declare_endpoint_group(
    step: Step, settings: Settings, network: Network, tasks: dict[str, ResourceHandle]
) -> tuple[ResourceHandle | None, dict[str, list[ResourceHandle]]]:
    """Declare the group of the interface endpoints, which exist without NAT, and a rule in it per service.

    With NAT there are no interface endpoints, and nothing is declared.
    """
    if settings.network.nat != "none":
        return None, {}
    group = _declare_group(step, network, settings.workloads[0], "sg-endpoints", "ml-api endpoints")
    rules = {}
    for workload in settings.workloads:
        peer, name = tasks[workload.name], workload.logical_id("endpoints-in")
        description = f"from {peer.logical_id}"
        rule = _declare_rule(step, IngressRule, name, group, 443, description, ReferencedGroupId=peer.id)
        rules[workload.name] = [rule]
    return group, rules


def _declare_balancer_rules(
    step: Step, settings: Settings, lookups: StackLookups, balancer: ResourceHandle
) -> list[ResourceHandle]:
    """Declare the rules that let requests reach the load balancer.

    CloudFront's prefix list counts as 55 of the 60 rules of a group, so it fits in once. So one rule opens
    both ports, and a domain can be added or removed while requests pass.
    """
    if settings.edge.guard == "require" or settings.edge.vpc_origin:
        addresses = {"PrefixListId": lookups.edge_prefix_list_id}
        return [_declare_rule(step, IngressRule, "alb-edge", balancer, (80, 443), "from CloudFront", **addresses)]
    return [
        _declare_rule(step, IngressRule, "alb-http", balancer, 80, "HTTP from anywhere", CidrIpv4=ANYWHERE),
        _declare_rule(step, IngressRule, "alb-https", balancer, 443, "HTTPS from anywhere", CidrIpv4=ANYWHERE),
    ]


def _declare_service_rules(
    step: Step, workload: Workload, balancer: ResourceHandle, tasks: ResourceHandle, database: ResourceHandle
) -> list[ResourceHandle]:
    """Declare the rules from the load balancer to a service's tasks, and on to AWS and the database."""
    egress_name = workload.logical_id("tasks-out")
    return [
        _declare_rule_pair(step, workload, "alb-tasks", balancer, tasks, workload.container.port),
        _declare_rule(step, EgressRule, egress_name, tasks, 443, "images, logs, secrets, AWS", CidrIpv4=ANYWHERE),
        _declare_rule_pair(step, workload, "tasks-db", tasks, database, POSTGRES_PORT),
    ]


def _declare_group(step: Step, network: Network, workload: Workload, noun: str, description: str) -> ResourceHandle:
    """Declare a security group without the egress rule that AWS adds."""
    group = step(SecurityGroup, workload.logical_id(noun), noun=noun, Description=description, VpcId=network.vpc.id)
    step(NoDefaultEgress, workload.logical_id(f"{noun}-no-default-egress"), GroupId=group.id)
    return group


def _declare_rule(
    step: Step,
    resource_type: type[ResourceType],
    name: str,
    group: ResourceHandle,
    ports: int | tuple[int, int],
    description: str,
    after: Iterable[ResourceHandle] = (),
    **peer: Any,
) -> ResourceHandle:
    """Declare a rule of a security group for one TCP port or a range of ports."""
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


def _declare_rule_pair(
    step: Step, workload: Workload, name: str, source: ResourceHandle, target: ResourceHandle, port: int
) -> ResourceHandle:
    """Declare the rules from one group to another on one port, and return the ingress rule.

    The ingress rule waits for the egress rule.
    """
    egress_name, ingress_name = workload.logical_id(f"{name}-out"), workload.logical_id(f"{name}-in")
    egress_rule = _declare_rule(
        step, EgressRule, egress_name, source, port, f"to {target.logical_id}", ReferencedGroupId=target.id
    )
    description = f"from {source.logical_id}"
    return _declare_rule(
        step, IngressRule, ingress_name, target, port, description, after=[egress_rule], ReferencedGroupId=source.id
    )
