"""The load balancer with its listeners, and a target group for each service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.elbv2.listeners import Listener
from provisioner.resources.elbv2.load_balancers import LoadBalancer, LoadBalancerAttributes
from provisioner.resources.elbv2.target_groups import TargetGroup, TargetGroupAttributes
from provisioner.settings import Settings, Workload
from provisioner.steps.access_logs import BALANCER_PREFIX, AccessLogs
from provisioner.steps.account import ServiceRoles
from provisioner.steps.alb_rules import ListenerRules, ServiceRouting, assign_priorities, forward_actions
from provisioner.steps.certificates import Certificates
from provisioner.steps.lookups import StackLookups
from provisioner.steps.origin_key import OriginKey
from provisioner.steps.security import SecurityGroups
from provisioner.steps.vpc import Network

# The port of the profile `seed`. Targets are registered with ports of their own, so a new container port
# keeps the group.
_GROUP_PORT = 8080
_REFUSE_ACTION = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"}}
_REDIRECT_ACTION = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
}
# TLS 1.2 and 1.3 with forward secrecy (ELB user guide, security policies); CloudFront connects with TLS 1.2.
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


@dataclass(frozen=True)
class Balancer:
    """The load balancer with its listener, and the target group and rules of each service."""

    alb: ResourceHandle
    listener: ResourceHandle
    routing: dict[str, ServiceRouting]
    # The listener and all its rules, which together decide where a request goes.
    rules: list[ResourceHandle]
    serves_https: bool = False

    @property
    def target_group(self) -> ResourceHandle:
        """The target group of the main service."""
        return self.routing[""].target_group


def declare_balancer(
    step: Step,
    settings: Settings,
    lookups: StackLookups,
    network: Network,
    security: SecurityGroups,
    service_roles: ServiceRoles,
    access_logs: AccessLogs | None,
    origin_key: OriginKey | None,
    certificates: Certificates | None = None,
) -> Balancer:
    """Declare the load balancer with its listener, rules and target groups.

    It is in public subnets, after the internet gateway is attached, or in private ones if only CloudFront
    reaches it (`edge.vpc_origin`).
    """
    is_private = settings.edge.vpc_origin
    alb = step(
        LoadBalancer,
        "alb",
        Scheme="internal" if is_private else "internet-facing",
        Type="application",
        IpAddressType="ipv4",
        Subnets=[subnet.id for subnet in (network.private if is_private else network.public)],
        SecurityGroups=[security.balancer.id],
        depends_on=[network.internet_gateway, service_roles.balancing],
    )
    _declare_attributes(step, settings, alb, access_logs)
    target_groups = {workload.name: _declare_target_group(step, network, workload) for workload in settings.workloads}
    key_conditions = [origin_key.condition()] if origin_key and origin_key.required else []
    main_group = target_groups[settings.workloads[0].name]
    listener = _declare_listener(
        step, alb, [_REFUSE_ACTION] if key_conditions else forward_actions(main_group), certificates
    )
    # The rules of two listeners have different logical ids, so the old ones serve until the new ones do.
    listener_rules = ListenerRules(step, listener, "tls-rule" if certificates else "rule", key_conditions)
    listener_rules.declare_error_pages()
    default_rule = listener_rules.declare_default_rule(main_group) if key_conditions else listener
    priorities = assign_priorities(settings.prefixes, lookups.priorities)
    routing = {}
    for workload in settings.workloads:
        target_group = target_groups[workload.name]
        rules = listener_rules.declare_prefix_rules(workload.prefixes, priorities, target_group)
        routing[workload.name] = ServiceRouting(target_group, rules or [default_rule])
    return Balancer(alb, listener, routing, [listener, *listener_rules.rules], serves_https=certificates is not None)


def _declare_listener(
    step: Step, alb: ResourceHandle, actions: list[dict[str, Any]], certificates: Certificates | None
) -> ResourceHandle:
    """Declare the listener for requests: HTTPS if there is a certificate, else HTTP."""
    if certificates is None:
        return step(Listener, "listener-80", LoadBalancerArn=alb.id, Port=80, Protocol="HTTP", DefaultActions=actions)
    return step(
        Listener,
        "listener-443",
        LoadBalancerArn=alb.id,
        Port=443,
        Protocol="HTTPS",
        SslPolicy=_TLS_POLICY,
        Certificates=[{"CertificateArn": certificates.balancer.arn}],
        DefaultActions=actions,
        depends_on=certificates.balancer.issuance_edges,
    )


def declare_redirect(step: Step, balancer: Balancer, distribution: ResourceHandle) -> None:
    """Declare the redirect from port 80 to HTTPS, if the load balancer has a certificate."""
    if balancer.serves_https:
        step(
            Listener,
            "listener-80",
            LoadBalancerArn=balancer.alb.id,
            Port=80,
            Protocol="HTTP",
            DefaultActions=[_REDIRECT_ACTION],
            depends_on=[distribution.ready("CloudFront calls port 80 until all edge locations know of 443")],
        )


def _declare_attributes(step: Step, settings: Settings, alb: ResourceHandle, access_logs: AccessLogs | None) -> None:
    """Declare the load balancer's attributes; access logs are on if there is a bucket for them."""
    destination = {"bucket": access_logs.bucket.id, "prefix": BALANCER_PREFIX} if access_logs else {}
    step(
        LoadBalancerAttributes,
        "alb-attributes",
        LoadBalancerArn=alb.id,
        Attributes={
            "deletion_protection.enabled": "true" if settings.protect_data else "false",
            "idle_timeout.timeout_seconds": "60",
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "access_logs.s3.enabled": "true" if access_logs else "false",
            **{f"access_logs.s3.{key}": value for key, value in destination.items()},
        },
        depends_on=[access_logs.policy] if access_logs else [],
    )


def _declare_target_group(step: Step, network: Network, workload: Workload) -> ResourceHandle:
    """Declare the target group of a service and its attributes."""
    # ECS registers the addresses of the tasks, so the target type is "ip".
    group = step(
        TargetGroup,
        workload.logical_id("tg"),
        Protocol=workload.container.protocol,
        Port=_GROUP_PORT,
        TargetType="ip",
        VpcId=network.vpc.id,
        HealthCheckProtocol=workload.container.protocol,
        HealthCheckPath=workload.container.health_path,
        HealthCheckIntervalSeconds=30,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=3,
        Matcher={"HttpCode": "200"},
    )
    step(
        TargetGroupAttributes,
        workload.logical_id("tg-attributes"),
        TargetGroupArn=group.id,
        Attributes={"deregistration_delay.timeout_seconds": "30"},
    )
    return group
