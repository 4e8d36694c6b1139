"""The index of tags (Resource Groups Tagging API): resources of any service with the stack's tags."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize
from provisioner.names import owner_tags
from provisioner.resources.tags import mapping

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {"resourcegroupstaggingapi": ("GetResources",)}
# CloudFront and its certificates, logs and web ACL are here, whatever the stack's region.
GLOBAL_REGION = "us-east-1"
# The prefix of tags that AWS itself sets.
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
# Indexed in one region only.
_GLOBAL = ["cloudfront:distribution"]


def bearing(clients: Clients, suffix: str) -> list[str]:
    """Return the ARNs of resources with the stack's tags, in the stack's region and in us-east-1.

    The index lags: it may still list resources that were deleted minutes ago.
    """
    found: set[str] = set()
    for region in {clients.aws.region, GLOBAL_REGION}:
        tagging = clients.client("resourcegroupstaggingapi", region)
        told = tagging.get_resources(TagFilters=_filters(suffix))["ResourceTagMappingList"]
        found |= {resource["ResourceARN"] for resource in told}
    return sorted(found)


def bearers(tagging: Any, suffixes: list[str]) -> dict[str, dict[str, str]]:
    """Return the tags of each indexed resource that has the tags of one of these stacks, by its ARN.

    Only resource types are included whose own API reads the tags of one resource at a time. IAM is not in the
    index (Resource Groups Tagging API, supported services).
    """
    types = [*_ONE_AT_A_TIME, *(_GLOBAL if tagging.region == GLOBAL_REGION else [])]
    try:
        told = tagging.get_resources(TagFilters=_filters(*suffixes), ResourceTypeFilters=types, ResourcesPerPage=100)
    except ClientError as error:
        # If AWS denies the call, or there is no index, callers read the tags of each resource.
        if categorize(error) not in (ErrorCategory.DENIED, ErrorCategory.REFUSED):
            raise
        return {}
    return {one["ResourceARN"]: mapping(one["Tags"]) for one in told["ResourceTagMappingList"]}


def _filters(*suffixes: str) -> list[dict[str, Any]]:
    """Return tag filters that match the resources of any of these stacks."""
    values = {key: [value] for key, value in owner_tags("").items()} | {"Environment": list(suffixes)}
    return [{"Key": key, "Values": told} for key, told in values.items()]
