"""What AWS tells of a resource in full, in its own documents: defaults are no difference, additions are."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from provisioner.engine.planning.diff import differences, update_of
from provisioner.resources import RESOURCE_TYPES

Doc = dict[str, Any]
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tg/1"
PLAIN = {"Type": "forward", "TargetGroupArn": GROUP}
TOLD = {
    "Type": "forward",
    "TargetGroupArn": GROUP,
    "Order": 1,
    "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": False},
    },
}
NONE: Doc = {"Quantity": 0}

# What is stated, and all that AWS echoes of it (the examples of its API references and CLI).
RULE = (
    {
        "ListenerArn": "arn:l",
        "Priority": 5,
        "Conditions": [{"Field": "path-pattern", "Values": ["/api/*"]}],
        "Actions": [PLAIN],
    },
    {
        "RuleArn": "arn:r",
        "ListenerArn": "arn:l",
        "Priority": "5",
        "Conditions": [{"Field": "path-pattern", "Values": ["/api/*"], "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": [TOLD],
        "IsDefault": False,
        "Transforms": [],
    },
)
LISTENER = (
    {
        "LoadBalancerArn": "arn:b",
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "Certificates": [{"CertificateArn": "arn:c"}],
        "DefaultActions": [PLAIN],
    },
    {
        "ListenerArn": "arn:l",
        "LoadBalancerArn": "arn:b",
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "Certificates": [{"CertificateArn": "arn:c"}],
        "DefaultActions": [TOLD],
        "MutualAuthentication": {"Mode": "off", "AdvertiseTrustStoreCaNames": "off"},
    },
)
REDIRECT = (
    {
        "LoadBalancerArn": "arn:b",
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [
            {
                "Type": "redirect",
                "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
            }
        ],
    },
    {
        "ListenerArn": "arn:l",
        "LoadBalancerArn": "arn:b",
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [
            {
                "Type": "redirect",
                "Order": 1,
                "RedirectConfig": {
                    "Protocol": "HTTPS",
                    "Port": "443",
                    "Host": "#{host}",
                    "Path": "/#{path}",
                    "Query": "#{query}",
                    "StatusCode": "HTTP_301",
                },
            }
        ],
    },
)
BALANCER = (
    {"LoadBalancerArn": "arn:b", "Attributes": {"idle_timeout.timeout_seconds": "60"}},
    {
        "LoadBalancerArn": "arn:b",
        "Attributes": {
            "access_logs.s3.enabled": "false",
            "access_logs.s3.bucket": "",
            "access_logs.s3.prefix": "",
            "client_keep_alive.seconds": "3600",
            "connection_logs.s3.enabled": "false",
            "deletion_protection.enabled": "false",
            "health_check_logs.s3.enabled": "false",
            "idle_timeout.timeout_seconds": "60",
            "ipv6.deny_all_igw_traffic": "false",
            "load_balancing.cross_zone.enabled": "true",
            "routing.http.desync_mitigation_mode": "defensive",
            "routing.http.drop_invalid_header_fields.enabled": "false",
            "routing.http.preserve_host_header.enabled": "false",
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
            "routing.http.xff_client_port.enabled": "false",
            "routing.http.xff_header_processing.mode": "append",
            "routing.http2.enabled": "true",
            "waf.fail_open.enabled": "false",
            "zonal_shift.config.enabled": "false",
        },
    },
)
TARGETS = (
    {"TargetGroupArn": GROUP, "Attributes": {"deregistration_delay.timeout_seconds": "30"}},
    {
        "TargetGroupArn": GROUP,
        "Attributes": {
            "deregistration_delay.timeout_seconds": "30",
            "load_balancing.algorithm.anomaly_mitigation": "off",
            "load_balancing.algorithm.type": "round_robin",
            "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
            "slow_start.duration_seconds": "0",
            "stickiness.app_cookie.cookie_name": "",
            "stickiness.app_cookie.duration_seconds": "86400",
            "stickiness.enabled": "false",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "stickiness.type": "lb_cookie",
            "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
            "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
        },
    },
)
EDGE = (
    {
        "Comment": "ours",
        "Enabled": True,
        "Origins": {
            "Items": [
                {
                    "Id": "alb",
                    "DomainName": "alb.example.com",
                    "CustomHeaders": {"Items": []},
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "http-only",
                        "OriginSslProtocols": {"Items": ["TLSv1.2"]},
                    },
                }
            ]
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "alb",
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": {"Items": ["GET", "HEAD"], "CachedMethods": {"Items": ["GET", "HEAD"]}},
            "CachePolicyId": "cp",
        },
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
        "WebACLId": "",
    },
    {
        "Id": "E1",
        "ARN": "arn:aws:cloudfront::123456789012:distribution/E1",
        "Status": "Deployed",
        "DomainName": "d1.cloudfront.net",
        "CallerReference": "token",
        "Aliases": NONE,
        "DefaultRootObject": "",
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "alb",
                    "DomainName": "alb.example.com",
                    "OriginPath": "",
                    "CustomHeaders": NONE,
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "http-only",
                        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                        "OriginReadTimeout": 30,
                        "OriginKeepaliveTimeout": 5,
                        "IpAddressType": "ipv4",
                    },
                    "ConnectionAttempts": 3,
                    "ConnectionTimeout": 10,
                    "OriginShield": {"Enabled": False},
                    "OriginAccessControlId": "",
                }
            ],
        },
        "OriginGroups": NONE,
        "DefaultCacheBehavior": {
            "TargetOriginId": "alb",
            "TrustedSigners": {"Enabled": False, "Quantity": 0},
            "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": {
                "Quantity": 2,
                "Items": ["HEAD", "GET"],
                "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
            },
            "SmoothStreaming": False,
            "Compress": False,
            "LambdaFunctionAssociations": NONE,
            "FunctionAssociations": NONE,
            "FieldLevelEncryptionId": "",
            "CachePolicyId": "cp",
            "GrpcConfig": {"Enabled": False},
        },
        "CacheBehaviors": NONE,
        "CustomErrorResponses": NONE,
        "Comment": "ours",
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "Enabled": True,
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
        "ConnectionMode": "direct",
    },
)
SERVICE = (
    {"serviceName": "s", "cluster": "arn:c", "taskDefinition": "arn:t:1", "desiredCount": 2},
    {
        "serviceArn": "arn:s",
        "serviceName": "s",
        "cluster": "arn:c",
        "clusterArn": "arn:c",
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": "arn:t:1",
        "serviceConnectConfiguration": {"enabled": False},
        "deployments": [{"status": "PRIMARY", "vpcLatticeConfigurations": []}],
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "availabilityZoneRebalancing": "ENABLED",
        "healthCheckGracePeriodSeconds": 0,
    },
)
TABLE = (
    {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    },
    {
        "TableName": "t",
        "TableArn": "arn:t",
        "TableStatus": "ACTIVE",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1},
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12000,
            "WriteUnitsPerSecond": 4000,
            "Status": "ACTIVE",
        },
        "TableClassSummary": {"TableClass": "STANDARD"},
        "DeletionProtectionEnabled": False,
    },
)
WHOLE: dict[str, tuple[Doc, Doc]] = {
    "ListenerRule": RULE,
    "Listener": LISTENER,
    "LoadBalancerAttributes": BALANCER,
    "TargetGroupAttributes": TARGETS,
    "Distribution": EDGE,
    "Service": SERVICE,
    "Table": TABLE,
}
CASES = [*WHOLE.items(), ("Listener", REDIRECT)]


@pytest.mark.parametrize(("kind", "documents"), CASES)
def test_all_that_aws_echoes_of_what_nobody_stated_is_no_difference(kind: str, documents: tuple[Doc, Doc]) -> None:
    stated, told = documents
    wide = differences(RESOURCE_TYPES[kind], stated, told, None)
    assert wide == []


_AUTHENTICATED = [{"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": {"Issuer": "i"}}, TOLD]
_TWO = [{"TargetGroupArn": GROUP, "Weight": 1}, {"TargetGroupArn": "arn:theirs", "Weight": 9}]
_STICKY = {"Enabled": True, "DurationSeconds": 60}


def _sent(**forward: Any) -> list[Doc]:
    return [{**TOLD, "ForwardConfig": {**TOLD["ForwardConfig"], **forward}}]  # type: ignore[dict-item]


def _spelt(**config: Any) -> list[Doc]:
    return [{"Field": "path-pattern", "PathPatternConfig": config}]


@pytest.mark.parametrize(
    ("kind", "added", "path"),
    [
        ("ListenerRule", {"Actions": _AUTHENTICATED}, "Actions"),
        ("ListenerRule", {"Actions": _sent(TargetGroups=_TWO)}, "Actions"),
        ("ListenerRule", {"Actions": _sent(TargetGroupStickinessConfig=_STICKY)}, "Actions"),
        ("ListenerRule", {"Actions": _sent(TargetGroups=[{**_TWO[0], "Weight": 0}])}, "Actions"),
        ("ListenerRule", {"Conditions": _spelt(Values=["/api/*"], RegexValues=["x"])}, "Conditions"),
        ("ListenerRule", {"Conditions": _spelt(RegexValues=["^/api"])}, "Conditions"),
        ("Listener", {"DefaultActions": _sent(TargetGroupStickinessConfig=_STICKY)}, "DefaultActions"),
        ("Listener", {"MutualAuthentication": {"Mode": "passthrough"}}, "MutualAuthentication"),
        ("Listener", {"SslPolicy": "ELBSecurityPolicy-2016-08"}, "SslPolicy"),
        ("Distribution", {"ConnectionMode": "tenant-only"}, "ConnectionMode"),
        ("Distribution", {"Staging": True}, "Staging"),
        ("Service", {"volumeConfigurations": [{"name": "theirs"}]}, "volumeConfigurations"),
    ],
)
def test_what_lets_others_in_or_leads_elsewhere_is_a_difference(kind: str, added: Doc, path: str) -> None:
    stated, told = WHOLE[kind]
    found = differences(RESOURCE_TYPES[kind], stated, {**told, **added}, None)
    assert {one.top for one in found} == {path}


def test_what_nobody_states_goes_back_to_its_default_with_all_that_is_stated() -> None:
    """A key with dots in it is one key; what lies deeper is laid into what is stated there."""
    stated: Any
    told: Any
    stated, told = copy.deepcopy(BALANCER)
    told["Attributes"]["routing.http2.enabled"] = "false"
    resource_type = RESOURCE_TYPES["LoadBalancerAttributes"]
    update = update_of(resource_type, stated, differences(resource_type, stated, told, None))
    assert update.changed == {"Attributes": {"idle_timeout.timeout_seconds": "60", "routing.http2.enabled": "true"}}
    edge = RESOURCE_TYPES["Distribution"]
    stated, told = copy.deepcopy(EDGE)
    told["DefaultCacheBehavior"]["TrustedKeyGroups"] = {"Enabled": True, "Quantity": 1, "Items": ["kg"]}
    told["Restrictions"]["GeoRestriction"] = {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["DE"]}
    update = update_of(edge, stated, differences(edge, stated, told, None))
    behaviour = update.changed["DefaultCacheBehavior"]
    assert behaviour["TrustedKeyGroups"] == {"Enabled": False, "Quantity": 0}
    assert behaviour["CachePolicyId"] == "cp"
    assert update.changed["Restrictions"]["GeoRestriction"]["RestrictionType"] == "none"
