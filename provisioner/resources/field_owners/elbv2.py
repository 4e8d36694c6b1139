"""Field ownership of the load balancer, its listeners, rules and target groups."""

from __future__ import annotations

from provisioner.engine.types.field_ownership import Default, FieldOwnership

# The values that AWS fills in where a redirect leaves them out (ELB API reference, RedirectActionConfig).
_REDIRECT_DEFAULTS = {
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
    "Port": "#{port}",
    "Protocol": "#{protocol}",
}


def _action_defaults(path: str) -> tuple[Default, ...]:
    """Return the defaults of an action's members; any other undeclared member is empty by default."""
    return (
        *(Default(f"{path}.RedirectConfig.{key}", value) for key, value in _REDIRECT_DEFAULTS.items()),
        Default(f"{path}.FixedResponseConfig.ContentType", frozenset({"text/plain"})),
    )


BALANCER = FieldOwnership(
    ("elbv2 DescribeLoadBalancers LoadBalancers",),
    ours="Scheme SecurityGroups",
    defaults=(Default("IpAddressType", "ipv4"),),
    renamed="AvailabilityZones.** LoadBalancerName",
    create_only="CustomerOwnedIpv4Pool Type VpcId",
    account="IpamPools.**",
    read_only="CanonicalHostedZoneId CreatedTime DNSName LoadBalancerArn State.**",
    unowned="EnablePrefixForIpv6SourceNat EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
)
# botocore elbv2 LoadBalancerAttribute, Key: the attributes that affect how requests are handled, and their
# defaults.
_BALANCER_DEFAULTS = {
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}
BALANCER_ATTRIBUTES = FieldOwnership(
    ("elbv2 DescribeLoadBalancerAttributes",),
    ours="Attributes Attributes.Key Attributes.Value",
    defaults=tuple(Default(f"Attributes.{key}", value) for key, value in _BALANCER_DEFAULTS.items()),
    # Logs, timeouts, protection and zonal shift, unless declared.
    unowned="Attributes.**",
    maps="Attributes",
)
TARGET_GROUP = FieldOwnership(
    ("elbv2 DescribeTargetGroups TargetGroups",),
    ours="HealthCheckIntervalSeconds HealthCheckPath HealthCheckProtocol HealthCheckTimeoutSeconds"
    " HealthyThresholdCount Matcher Matcher.HttpCode Matcher.GrpcCode UnhealthyThresholdCount",
    defaults=(Default("HealthCheckEnabled", value=True), Default("HealthCheckPort", "traffic-port")),
    renamed="TargetGroupName",
    create_only="IpAddressType Port Protocol ProtocolVersion TargetControlPort TargetType VpcId",
    read_only="LoadBalancerArns TargetGroupArn",
)
# botocore elbv2 TargetGroupAttribute, Key: the attributes that affect which target gets a request.
_HEALTH_PREFIX = "target_group_health"
_GROUP_DEFAULTS = {
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    f"{_HEALTH_PREFIX}.dns_failover.minimum_healthy_targets.count": "1",
    f"{_HEALTH_PREFIX}.dns_failover.minimum_healthy_targets.percentage": "off",
    f"{_HEALTH_PREFIX}.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    f"{_HEALTH_PREFIX}.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
TARGET_GROUP_ATTRIBUTES = FieldOwnership(
    ("elbv2 DescribeTargetGroupAttributes",),
    ours="Attributes Attributes.Key Attributes.Value",
    defaults=tuple(Default(f"Attributes.{key}", value) for key, value in _GROUP_DEFAULTS.items()),
    unowned="Attributes.**",
    maps="Attributes",
)
LISTENER = FieldOwnership(
    ("elbv2 DescribeListeners Listeners",),
    ours="Certificates Certificates.CertificateArn DefaultActions.** Port Protocol SslPolicy",
    defaults=(
        *_action_defaults("DefaultActions"),
        # With mutual TLS, clients without a certificate would be refused.
        Default("MutualAuthentication", {"Mode": "off"}),
        Default("MutualAuthentication.AdvertiseTrustStoreCaNames", frozenset({"off"})),
    ),
    create_only="LoadBalancerArn",
    read_only="DefaultActions.Order DefaultActions.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds"
    " ListenerArn MutualAuthentication.TrustStoreAssociationStatus Certificates.IsDefault",
    # For TLS listeners of Network Load Balancers.
    unowned="AlpnPolicy",
)
RULE = FieldOwnership(
    ("elbv2 DescribeRules Rules",),
    ours="Actions.** Priority",
    defaults=(*_action_defaults("Actions"), Default("Transforms", [])),
    renamed="Conditions.**",
    read_only="Actions.Order Actions.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds IsDefault RuleArn",
)
