"""Warm-up: one harmless call to each service the stack uses, so that later calls skip moto's slow imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.emulator.wire import compose

if TYPE_CHECKING:
    from provisioner.emulator.emulator import Emulator

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "DescribeVpcs", {}),
    ("ecs", "ListClusters", {}),
    ("elbv2", "DescribeLoadBalancers", {}),
    ("rds", "DescribeDBClusters", {}),
    ("dynamodb", "ListTables", {}),
    ("logs", "DescribeLogGroups", {}),
    ("cloudfront", "ListDistributions", {}),
    ("iam", "ListRoles", {}),
    ("sts", "GetCallerIdentity", {}),
    ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}),
    ("secretsmanager", "ListSecrets", {}),
    ("cloudwatch", "DescribeAlarms", {}),
    ("resourcegroupstaggingapi", "GetResources", {}),
    ("wafv2", "ListWebACLs", {"Scope": "CLOUDFRONT"}),
    ("s3", "ListBuckets", {}),
    ("sns", "ListTopics", {}),
    ("kms", "ListKeys", {}),
    ("acm", "ListCertificates", {}),
    ("route53", "ListHostedZones", {}),
    ("service-quotas", "ListServices", {}),
]


def warm(emulator: Emulator) -> None:
    """Call every service once, ignore the answers, and reset the emulator."""
    for service, operation, params in CALLS:
        emulator(compose(service, operation, "us-east-1", **params).rewound())
    emulator.reset()
