"""One harmless call to each service of an emulator, so that no test pays for loading it."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.emulator import Emulator
from provisioner.emulator.wire import compose_call

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


def load_services(emulator: Emulator) -> None:
    """Call every service once, ignore the answers, and reset the emulator."""
    for service, operation, params in CALLS:
        emulator(compose_call(service, operation, "us-east-1", **params).rewound())
    emulator.reset()
