"""Where moto answers wrongly: one module a service, each correction with its source beside it."""

from provisioner.embedded.corrections import (
    acm,
    cloudwatch,
    dynamodb,
    iam,
    logs,
    rds_clusters,
    rds_instances,
    rds_subnet_groups,
    rds_versions,
    route53,
    scaling,
    secretsmanager,
    tokens,
    wafv2,
)

__all__ = [
    "acm",
    "cloudwatch",
    "dynamodb",
    "iam",
    "logs",
    "rds_clusters",
    "rds_instances",
    "rds_subnet_groups",
    "rds_versions",
    "route53",
    "scaling",
    "secretsmanager",
    "tokens",
    "wafv2",
]
