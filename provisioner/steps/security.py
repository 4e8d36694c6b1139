"""Security groups and rules: internet to load balancer, load balancer to tasks, tasks to database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.kind import Kind
from provisioner.kinds.ec2.default_group import BareDefaultEgress, BareDefaultIngress
from provisioner.kinds.ec2.groups import EgressRule, IngressRule, NoDefaultEgress, SecurityGroup
from provisioner.settings import Settings, Workload
from provisioner.steps.facts import Facts
from provisioner.steps.nat import ANYWHERE
from provisioner.steps.vpc import Network

POSTGRES = 5432


@dataclass(frozen=True)
class Members:
    """The security group of one service's tasks, and the rules that its traffic needs."""

    group: Handle
    paths: list[Handle]


@dataclass(frozen=True)
class Security:
    """The security groups: of the load balancer, the database, the endpoints, and each service's tasks."""

    balancer: Handle
    database: Handle
    endpoints: Handle | None
    doors: list[Handle]
    tasks: dict[str, Members]


def security(up: Piece, s: Settings, facts: Facts, net: Network) -> Security:
    """Declare the security groups and their rules.

    Each rule is a resource of its own. No group keeps the allow-all egress rule that AWS adds.
    """
    main, *others = s.workloads
    balancer = _group(up, net, main, "sg-alb", "ml-api load balancer")
    tasks = {main.name: _group(up, net, main, "sg-tasks", "ml-api tasks")}
    database = _group(up, net, main, "sg-db", "ml-api database")
    doors = _doors(up, s, facts, balancer)
    tasks |= {one.name: _group(up, net, one, "sg-tasks", "ml-api tasks") for one in others}
    endpoints, to_endpoints = _endpoints(up, s, net, tasks)
    members = {
        one.name: Members(
            tasks[one.name],
            [*_paths(up, one, balancer, tasks[one.name], database), *to_endpoints.get(one.name, [])],
        )
        for one in s.workloads
    }
    if s.network.bare_default_group:
        up(BareDefaultIngress, "default-group-ingress", VpcId=net.vpc.id)
        up(BareDefaultEgress, "default-group-egress", VpcId=net.vpc.id)
    return Security(balancer, database, endpoints, doors, members)


def _endpoints(
    up: Piece, s: Settings, net: Network, tasks: dict[str, Handle]
) -> tuple[Handle | None, dict[str, list[Handle]]]:
    """Declare the group of the interface endpoints, which exist without NAT, and a rule in it per service.

    With NAT there are no interface endpoints, and nothing is declared.
    """
    if s.network.nat != "none":
        return None, {}
    group = _group(up, net, s.workloads[0], "sg-endpoints", "ml-api endpoints")
    ways = {}
    for one in s.workloads:
        peer, name = tasks[one.name], one.named("endpoints-in")
        said = f"from {peer.name}"
        ways[one.name] = [_rule(up, IngressRule, name, group, 443, said, ReferencedGroupId=peer.id)]
    return group, ways


def _doors(up: Piece, s: Settings, facts: Facts, balancer: Handle) -> list[Handle]:
    """Declare the rules that let requests reach the load balancer.

    CloudFront's prefix list counts as 55 of the 60 rules of a group, so it fits in once. So one rule opens
    both ports, and a domain can be added or removed while requests pass.
    """
    if s.edge.guard == "require" or s.edge.vpc_origin:
        addresses = {"PrefixListId": facts.edge_addresses}
        return [_rule(up, IngressRule, "alb-edge", balancer, (80, 443), "from CloudFront", **addresses)]
    return [
        _rule(up, IngressRule, "alb-http", balancer, 80, "HTTP from anywhere", CidrIpv4=ANYWHERE),
        _rule(up, IngressRule, "alb-https", balancer, 443, "HTTPS from anywhere", CidrIpv4=ANYWHERE),
    ]


def _paths(up: Piece, one: Workload, balancer: Handle, tasks: Handle, database: Handle) -> list[Handle]:
    """Declare the rules from the load balancer to a service's tasks, and on to AWS and the database."""
    out = one.named("tasks-out")
    return [
        _between(up, one, "alb-tasks", balancer, tasks, one.container.port),
        _rule(up, EgressRule, out, tasks, 443, "images, logs, secrets, AWS", CidrIpv4=ANYWHERE),
        _between(up, one, "tasks-db", tasks, database, POSTGRES),
    ]


def _group(up: Piece, net: Network, one: Workload, noun: str, description: str) -> Handle:
    group = up(SecurityGroup, one.named(noun), noun=noun, Description=description, VpcId=net.vpc.id)
    up(NoDefaultEgress, one.named(f"{noun}-no-default-egress"), GroupId=group.id)
    return group


def _rule(
    up: Piece,
    kind: type[Kind],
    name: str,
    group: Handle,
    ports: int | tuple[int, int],
    description: str,
    after: Iterable[Handle] = (),
    **peer: Any,
) -> Handle:
    first, last = ports if isinstance(ports, tuple) else (ports, ports)
    return up(
        kind,
        f"rule-{name}",
        GroupId=group.id,
        IpProtocol="tcp",
        FromPort=first,
        ToPort=last,
        Description=description,
        after=after,
        **peer,
    )


def _between(up: Piece, one: Workload, name: str, source: Handle, target: Handle, port: int) -> Handle:
    """Declare the rules from one group to another on one port, and return the ingress rule.

    The ingress rule waits for the egress rule.
    """
    there, here = one.named(f"{name}-out"), one.named(f"{name}-in")
    out = _rule(up, EgressRule, there, source, port, f"to {target.name}", ReferencedGroupId=target.id)
    described = f"from {source.name}"
    return _rule(up, IngressRule, here, target, port, described, after=[out], ReferencedGroupId=source.id)
