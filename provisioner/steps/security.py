"""Who may speak to whom: the world to the balancer, the balancer to the tasks, the tasks to the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.kind import Kind
from provisioner.kinds.ec2.default_group import BareDefaultEgress, BareDefaultIngress
from provisioner.kinds.ec2.groups import EgressRule, IngressRule, NoDefaultEgress, SecurityGroup
from provisioner.settings import Settings
from provisioner.steps.vpc import ANYWHERE, Network

POSTGRES = 5432


@dataclass(frozen=True)
class Security:
    """The three groups, and the rules without which nothing passes."""

    balancer: Handle
    tasks: Handle
    database: Handle
    paths: list[Handle]


def security(up: Piece, s: Settings, net: Network) -> Security:
    """Each rule is a resource of its own; nobody keeps the allow-all egress that AWS gives."""
    balancer = _group(up, net, "sg-alb", "ml-api load balancer")
    tasks = _group(up, net, "sg-tasks", "ml-api tasks")
    database = _group(up, net, "sg-db", "ml-api database")
    paths = [
        _rule(up, IngressRule, "alb-http", balancer, 80, "HTTP from anywhere", CidrIpv4=ANYWHERE),
        _rule(up, IngressRule, "alb-https", balancer, 443, "HTTPS from anywhere", CidrIpv4=ANYWHERE),
        _between(up, "alb-tasks", balancer, tasks, s.container.port),
        _rule(up, EgressRule, "tasks-out", tasks, 443, "images, logs, secrets, AWS", CidrIpv4=ANYWHERE),
        _between(up, "tasks-db", tasks, database, POSTGRES),
    ]
    if s.network.bare_default_group:
        up(BareDefaultIngress, "default-group-ingress", VpcId=net.vpc.id)
        up(BareDefaultEgress, "default-group-egress", VpcId=net.vpc.id)
    return Security(balancer, tasks, database, paths)


def _group(up: Piece, net: Network, noun: str, description: str) -> Handle:
    group = up(SecurityGroup, noun, noun=noun, Description=description, VpcId=net.vpc.id)
    up(NoDefaultEgress, f"{noun}-no-default-egress", GroupId=group.id)
    return group


def _rule(
    up: Piece, kind: type[Kind], name: str, group: Handle, port: int, description: str, **peer: Any
) -> Handle:
    return up(
        kind,
        f"rule-{name}",
        GroupId=group.id,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=description,
        **peer,
    )


def _between(up: Piece, name: str, source: Handle, target: Handle, port: int) -> Handle:
    """Out of one group and into the other, on one port; the way in, which waits for the way out."""
    out = _rule(up, EgressRule, f"{name}-out", source, port, f"to {target.name}", ReferencedGroupId=target.id)
    return up(
        IngressRule,
        f"rule-{name}-in",
        GroupId=target.id,
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        Description=f"from {source.name}",
        ReferencedGroupId=source.id,
        after=[out],
    )
