"""The load balancer: one listener, a rule per API prefix, and the two error pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.elbv2.balancer import LoadBalancer, LoadBalancerAttributes
from provisioner.kinds.elbv2.groups import TargetGroup, TargetGroupAttributes
from provisioner.kinds.elbv2.listeners import Listener, ListenerRule
from provisioner.settings import Settings, Workload
from provisioner.steps.access_logs import BALANCER, AccessLogs
from provisioner.steps.account import Account
from provisioner.steps.certificates import Certificates
from provisioner.steps.facts import Facts
from provisioner.steps.guard import Guard
from provisioner.steps.security import Security
from provisioner.steps.vpc import Network

PAGES = {
    403: ("/errors/403.html", "403", "This address is not open to you."),
    404: ("/errors/404.html", "404", "There is nothing at this address."),
}
# The seed's port. Targets carry their own, so changing the container's port keeps the group.
_GROUP_PORT = 8080
# Behind every prefix: what comes from CloudFront and asks for none of them.
_LAST_PLACE = 50_000
_CLOSED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"},
}
_TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}
# TLS 1.2 and 1.3 with forward secrecy (ELB user guide, security policies); CloudFront calls by TLS 1.2.
_TLS = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


@dataclass(frozen=True)
class Front:
    """The group one service's tasks are in, and what leads there."""

    group: Handle
    rules: list[Handle]


@dataclass(frozen=True)
class Balancer:
    """The balancer, its listener, and for each service its front."""

    alb: Handle
    listener: Handle
    fronts: dict[str, Front]
    # All that says what becomes of a request.
    rules: list[Handle]
    secure: bool = False

    @property
    def group(self) -> Handle:
        """The group of the main service."""
        return self.fronts[""].group


def balancer(
    up: Piece,
    s: Settings,
    facts: Facts,
    net: Network,
    groups: Security,
    roles: Account,
    records: AccessLogs | None,
    key: Guard | None,
    proven: Certificates | None = None,
) -> Balancer:
    """On the internet, whose gateway must be attached first, or in private subnets for CloudFront alone."""
    hidden = s.edge.vpc_origin
    alb = up(
        LoadBalancer,
        "alb",
        Scheme="internal" if hidden else "internet-facing",
        Type="application",
        IpAddressType="ipv4",
        Subnets=[subnet.id for subnet in (net.private if hidden else net.public)],
        SecurityGroups=[groups.balancer.id],
        after=[net.door, roles.balancing],
    )
    _attributes(up, s, alb, records)
    main, *others = s.workloads
    asked = [key.condition()] if key and key.required else []
    targets = {main.name: _group(up, net, main)}
    listener = _listener(up, alb, [_CLOSED] if asked else _forward(targets[main.name]), proven)
    # The rules of two listeners are different nodes: those that serve stay until the others do.
    head = "tls-rule" if proven else "rule"
    targets |= {one.name: _group(up, net, one) for one in others}
    all_ = [listener]
    for place, (path, title, words) in enumerate(PAGES.values(), start=1):
        page = _rule(
            up, f"{head}-page-{title}", listener, place, [*_path(path), *asked], [_page(title, words)]
        )
        all_.append(page)
    rest = listener
    if asked:
        rest = _rule(up, f"{head}-guarded", listener, _LAST_PLACE, asked, _forward(targets[main.name]))
        all_.append(rest)
    places = priorities(s.prefixes, facts.priorities)
    fronts = {}
    for one in s.workloads:
        group = targets[one.name]
        rules = [
            _rule(
                up,
                f"{head}-{slug(prefix)}",
                listener,
                places[prefix],
                [*_path(prefix), *asked],
                _forward(group),
            )
            for prefix in one.prefixes
        ]
        fronts[one.name] = Front(group, rules or [rest])
        all_ += rules
    return Balancer(alb, listener, fronts, all_, secure=proven is not None)


def _listener(up: Piece, alb: Handle, actions: list[dict[str, Any]], proven: Certificates | None) -> Handle:
    """Where requests come in: by HTTPS, where there is a certificate to show."""
    if proven is None:
        return up(
            Listener, "listener-80", LoadBalancerArn=alb.id, Port=80, Protocol="HTTP", DefaultActions=actions
        )
    return up(
        Listener,
        "listener-443",
        LoadBalancerArn=alb.id,
        Port=443,
        Protocol="HTTPS",
        SslPolicy=_TLS,
        Certificates=[{"CertificateArn": proven.balancer.arn}],
        DefaultActions=actions,
        after=proven.balancer.after,
    )


def redirect(up: Piece, front: Balancer, distribution: Handle) -> None:
    """With HTTPS, port 80 only says where to go."""
    if front.secure:
        up(
            Listener,
            "listener-80",
            LoadBalancerArn=front.alb.id,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[_TO_HTTPS],
            after=[distribution.ready("CloudFront may call port 80 until it has learned of 443")],
        )


def _path(prefix: str) -> list[dict[str, Any]]:
    return [{"Field": "path-pattern", "Values": [prefix]}]


def _attributes(up: Piece, s: Settings, alb: Handle, records: AccessLogs | None) -> None:
    where = {"bucket": records.bucket.id, "prefix": BALANCER} if records else {}
    up(
        LoadBalancerAttributes,
        "alb-attributes",
        LoadBalancerArn=alb.id,
        Attributes={
            "deletion_protection.enabled": "true" if s.protect_data else "false",
            "idle_timeout.timeout_seconds": "60",
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "access_logs.s3.enabled": "true" if records else "false",
            **{f"access_logs.s3.{key}": value for key, value in where.items()},
        },
        after=[records.policy] if records else [],
    )


def _group(up: Piece, net: Network, one: Workload) -> Handle:
    group = up(
        TargetGroup,
        one.named("tg"),
        Protocol=one.container.protocol,
        Port=_GROUP_PORT,
        TargetType="ip",
        VpcId=net.vpc.id,
        HealthCheckProtocol=one.container.protocol,
        HealthCheckPath=one.container.health_path,
        HealthCheckIntervalSeconds=30,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=3,
        Matcher={"HttpCode": "200"},
    )
    up(
        TargetGroupAttributes,
        one.named("tg-attributes"),
        TargetGroupArn=group.id,
        Attributes={"deregistration_delay.timeout_seconds": "30"},
    )
    return group


def _forward(group: Handle) -> list[dict[str, Any]]:
    return [{"Type": "forward", "TargetGroupArn": group.id}]


def _rule(
    up: Piece,
    name: str,
    listener: Handle,
    place: int,
    asked: list[dict[str, Any]],
    actions: list[dict[str, Any]],
) -> Handle:
    return up(ListenerRule, name, ListenerArn=listener.id, Priority=place, Conditions=asked, Actions=actions)


def _page(title: str, words: str) -> dict[str, Any]:
    """A page with status 200: CloudFront uses no error page whose own fetch fails."""
    body = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{words}</p>"
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": body},
    }


def slug(prefix: str) -> str:
    """A prefix as the tail of a node's name; eight hex characters keep all but the plainest apart."""
    plain = prefix.removesuffix("/*")
    tail = "-".join(re.findall(r"[a-z0-9]+", prefix.lower()))
    if re.fullmatch(r"/api(/[a-z0-9]+)*", plain) and plain != prefix:
        return tail
    return f"{tail}.{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def priorities(prefixes: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """Each prefix's own priority: the one it was given before, else its own or the next that is free."""
    wanted = sorted(prefixes)
    places = {prefix: kept[prefix] for prefix in wanted if prefix in kept}
    for prefix in wanted:
        place = priority(prefix)
        while prefix not in places and place in places.values():
            place += 1
        places.setdefault(prefix, place)
    return places


def priority(prefix: str) -> int:
    """From the prefix alone, not its place in the list; a longer prefix comes before a shorter one."""
    band = 49 - min(len(prefix), 48)
    return band * 1000 + int(hashlib.sha256(prefix.encode()).hexdigest(), 16) % 1000
