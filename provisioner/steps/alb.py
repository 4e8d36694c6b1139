"""The load balancer with its listeners, and a target group for each service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.elbv2.listeners import Listener
from provisioner.resources.elbv2.load_balancers import LoadBalancer, LoadBalancerAttributes
from provisioner.resources.elbv2.target_groups import TargetGroup, TargetGroupAttributes
from provisioner.settings import Settings, Workload
from provisioner.steps.access_logs import BALANCER, AccessLogs
from provisioner.steps.account import Account
from provisioner.steps.alb_rules import ListenerRules, ServiceRouting, forward_action, priorities
from provisioner.steps.certificates import Certificates
from provisioner.steps.lookups import StackLookups
from provisioner.steps.origin_key import OriginKey
from provisioner.steps.security import Security
from provisioner.steps.vpc import Network

# The port of the profile `seed`. Targets are registered with ports of their own, so a new container port
# keeps the group.
_GROUP_PORT = 8080
_CLOSED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"},
}
_TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}
# TLS 1.2 and 1.3 with forward secrecy (ELB user guide, security policies); CloudFront connects with TLS 1.2.
_TLS = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


@dataclass(frozen=True)
class Balancer:
    """The load balancer with its listener, and the target group and rules of each service."""

    alb: ResourceHandle
    listener: ResourceHandle
    fronts: dict[str, ServiceRouting]
    # The listener and all its rules, which together decide where a request goes.
    rules: list[ResourceHandle]
    secure: bool = False

    @property
    def group(self) -> ResourceHandle:
        """The target group of the main service."""
        return self.fronts[""].target_group


def balancer(
    step: Step,
    settings: Settings,
    lookups: StackLookups,
    network: Network,
    groups: Security,
    roles: Account,
    records: AccessLogs | None,
    key: OriginKey | None,
    proven: Certificates | None = None,
) -> Balancer:
    """Declare the load balancer with its listener, rules and target groups.

    It is in public subnets, after the internet gateway is attached, or in private ones if only CloudFront
    reaches it (`edge.vpc_origin`).
    """
    hidden = settings.edge.vpc_origin
    alb = step(
        LoadBalancer,
        "alb",
        Scheme="internal" if hidden else "internet-facing",
        Type="application",
        IpAddressType="ipv4",
        Subnets=[subnet.id for subnet in (network.private if hidden else network.public)],
        SecurityGroups=[groups.balancer.id],
        depends_on=[network.internet_gateway, roles.balancing],
    )
    _attributes(step, settings, alb, records)
    targets = {one.name: _group(step, network, one) for one in settings.workloads}
    asked = [key.condition()] if key and key.required else []
    main = targets[settings.workloads[0].name]
    listener = _listener(step, alb, [_CLOSED] if asked else forward_action(main), proven)
    # The rules of two listeners have different logical ids, so the old ones serve until the new ones do.
    to = ListenerRules(step, listener, "tls-rule" if proven else "rule", asked)
    to.pages()
    rest = to.rest(main) if asked else listener
    places = priorities(settings.prefixes, lookups.priorities)
    fronts = {}
    for one in settings.workloads:
        group = targets[one.name]
        rules = [to.prefix(prefix, places[prefix], group) for prefix in one.prefixes]
        fronts[one.name] = ServiceRouting(group, rules or [rest])
    return Balancer(alb, listener, fronts, [listener, *to.rules], secure=proven is not None)


def _listener(
    step: Step, alb: ResourceHandle, actions: list[dict[str, Any]], proven: Certificates | None
) -> ResourceHandle:
    """Declare the listener for requests: HTTPS if there is a certificate, else HTTP."""
    if proven is None:
        return step(Listener, "listener-80", LoadBalancerArn=alb.id, Port=80, Protocol="HTTP", DefaultActions=actions)
    return step(
        Listener,
        "listener-443",
        LoadBalancerArn=alb.id,
        Port=443,
        Protocol="HTTPS",
        SslPolicy=_TLS,
        Certificates=[{"CertificateArn": proven.balancer.arn}],
        DefaultActions=actions,
        depends_on=proven.balancer.after,
    )


def redirect(step: Step, front: Balancer, distribution: ResourceHandle) -> None:
    """Declare the redirect from port 80 to HTTPS, if the load balancer has a certificate."""
    if front.secure:
        step(
            Listener,
            "listener-80",
            LoadBalancerArn=front.alb.id,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[_TO_HTTPS],
            depends_on=[distribution.ready("CloudFront may call port 80 until it has learned of 443")],
        )


def _attributes(step: Step, settings: Settings, alb: ResourceHandle, records: AccessLogs | None) -> None:
    where = {"bucket": records.bucket.id, "prefix": BALANCER} if records else {}
    step(
        LoadBalancerAttributes,
        "alb-attributes",
        LoadBalancerArn=alb.id,
        Attributes={
            "deletion_protection.enabled": "true" if settings.protect_data else "false",
            "idle_timeout.timeout_seconds": "60",
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "access_logs.s3.enabled": "true" if records else "false",
            **{f"access_logs.s3.{key}": value for key, value in where.items()},
        },
        depends_on=[records.policy] if records else [],
    )


def _group(step: Step, network: Network, one: Workload) -> ResourceHandle:
    # ECS registers the addresses of the tasks, so the target type is "ip".
    group = step(
        TargetGroup,
        one.named("tg"),
        Protocol=one.container.protocol,
        Port=_GROUP_PORT,
        TargetType="ip",
        VpcId=network.vpc.id,
        HealthCheckProtocol=one.container.protocol,
        HealthCheckPath=one.container.health_path,
        HealthCheckIntervalSeconds=30,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=3,
        Matcher={"HttpCode": "200"},
    )
    step(
        TargetGroupAttributes,
        one.named("tg-attributes"),
        TargetGroupArn=group.id,
        Attributes={"deregistration_delay.timeout_seconds": "30"},
    )
    return group
