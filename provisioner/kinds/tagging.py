"""The Resource Groups Tagging API: whatever still bears the stack's tags, of any service."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.clients import Clients
from provisioner.engine.faults import Fault, fault_of
from provisioner.kinds.tags import mapping
from provisioner.names import owner_tags

# What is asked here, by service: `policy` grants it.
CALLS = {"resourcegroupstaggingapi": ("GetResources",)}
# CloudFront, its certificates, logs and firewall live here whatever the stack's region.
GLOBAL_REGION = "us-east-1"
# What AWS itself sets begins with this.
AMAZONS = "aws:"
_ONE_AT_A_TIME = [
    "acm:certificate",
    "application-autoscaling:scalable-target",
    "cloudfront:distribution",
    "cloudwatch:alarm",
    "dynamodb:table",
    "ecs:task-definition",
    "events:rule",
    "kms:key",
    "logs:log-group",
    "rds:cluster-pg",
    "rds:subgrp",
    "sns",
    "wafv2:webacl",
]
# Told in one region only.
_GLOBAL = ["cloudfront:distribution"]


def bearing(clients: Clients, suffix: str) -> list[str]:
    """ARNs that bear our tags, in the stack's region and in us-east-1.

    The index lags: it may still tell of what was deleted minutes ago.
    """
    found: set[str] = set()
    for region in {clients.aws.region, GLOBAL_REGION}:
        tagging = clients.client("resourcegroupstaggingapi", region)
        told = tagging.get_resources(TagFilters=_filters(suffix))["ResourceTagMappingList"]
        found |= {resource["ResourceARN"] for resource in told}
    return sorted(found)


def bearers(tagging: Any, suffixes: list[str]) -> dict[str, dict[str, str]]:
    """The tags of each resource that bears those of one of our stacks, by its ARN, as far as the index knows.

    Only of those services whose own calls tell the tags of one resource at a time; IAM is not in the
    index (Resource Groups Tagging API, supported services).
    """
    types = [*_ONE_AT_A_TIME, *(_GLOBAL if tagging.region == GLOBAL_REGION else [])]
    try:
        told = tagging.get_resources(
            TagFilters=_filters(*suffixes), ResourceTypeFilters=types, ResourcesPerPage=100
        )
    except ClientError as error:
        # Who may not read the index, or where there is none, asks each resource.
        if fault_of(error) not in (Fault.DENIED, Fault.REFUSED):
            raise
        return {}
    return {one["ResourceARN"]: mapping(one["Tags"]) for one in told["ResourceTagMappingList"]}


def _filters(*suffixes: str) -> list[dict[str, Any]]:
    values = {key: [value] for key, value in owner_tags("").items()} | {"Environment": list(suffixes)}
    return [{"Key": key, "Values": told} for key, told in values.items()]
