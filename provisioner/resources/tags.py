"""Tags: their forms, the Resource Groups Tagging API, and reads of several resources in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Client, Clients, sibling_client
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import Codes
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import owner_tags
from provisioner.service_clients import ResourceGroupsTagging

if TYPE_CHECKING:
    from types_boto3_resourcegroupstaggingapi.type_defs import TagFilterTypeDef

# The AWS operations that this module calls, by service: `policy` grants them.
CALLS = {"resourcegroupstaggingapi": ("GetResources",)}
# CloudFront and its certificates, logs and web ACL are here, whatever the stack's region.
GLOBAL_REGION = "us-east-1"
# The prefix of tags that AWS itself sets.
AWS_TAG_PREFIX = "aws:"
# The resource types whose own API reads the tags of one resource at a time.
_TYPES_READ_SINGLY = [
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
_GLOBAL_TYPES = ["cloudfront:distribution"]


def pairs(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as `[{"Key": ..., "Value": ...}]`, which each service has a type of its own for."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def lower_case_pairs(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as `[{"key": ..., "value": ...}]`, as ECS takes them."""
    return [{"key": name, "value": value} for name, value in tags.items()]


def mapping(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags or attributes as a dict, from the list of pairs that AWS returns, in either shape."""
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in given}


def arns_with_stack_tags(clients: Clients, suffix: str) -> list[str]:
    """Return the ARNs of resources with the stack's tags, in the stack's region and in us-east-1.

    The index lags: it may still list resources that were deleted minutes ago.
    """
    arns: set[str] = set()
    for region in {clients.aws.region, GLOBAL_REGION}:
        tagging = clients.client(ResourceGroupsTagging, region)
        resources = tagging.get_resources(TagFilters=_tag_filters(suffix))["ResourceTagMappingList"]
        arns |= {resource["ResourceARN"] for resource in resources}
    return sorted(arns)


def tags_by_arn(tagging: ResourceGroupsTagging, suffixes: list[str]) -> dict[str, dict[str, str]]:
    """Return the tags of the resources of these stacks by ARN, from the index of tags (GetResources).

    It covers `_TYPES_READ_SINGLY`. IAM is not in the index (Resource Groups Tagging API, supported services).
    """
    types = [*_TYPES_READ_SINGLY, *(_GLOBAL_TYPES if tagging.region == GLOBAL_REGION else [])]
    try:
        reply = tagging.get_resources(
            TagFilters=_tag_filters(*suffixes), ResourceTypeFilters=types, ResourcesPerPage=100
        )
    except ClientError as error:
        # If AWS denies the call, or an emulator has no index, callers read the tags of each resource.
        if categorize(error) not in (ErrorCategory.DENIED, ErrorCategory.REFUSED):
            raise
        return {}
    return {resource["ResourceARN"]: mapping(resource["Tags"]) for resource in reply["ResourceTagMappingList"]}


def _tag_filters(*suffixes: str) -> list[TagFilterTypeDef]:
    """Return tag filters that match the resources of any of these stacks."""
    values = {key: [value] for key, value in owner_tags("").items()} | {"Environment": list(suffixes)}
    return [{"Key": key, "Values": tag_values} for key, tag_values in values.items()]


# botocore resourcegroupstaggingapi TagFilter: 20 values.
_MAX_TAG_VALUES = 20
Tags = Mapping[str, str] | None


def read_batch(
    ids: list[str],
    own_id: str,
    describe: Callable[[list[str]], list[JsonObject]],
    not_found_codes: Codes,
    describe_all: Callable[[], list[JsonObject]] | None = None,
) -> list[JsonObject]:
    """Read the resources `ids` in one call; read only `own_id`, or all there are, if one of the others does not exist.

    Args:
        ids: The ids or names to read, `own_id` among them.
        own_id: The id or name that the caller needs.
        describe: The call that reads the resources of a list.
        not_found_codes: The error codes that mean that a resource does not exist.
        describe_all: The call that reads all resources of the type, for types of which an account has few.

    """
    try:
        return describe(ids)
    except ClientError as error:
        if ids == [own_id] or code_of(error) not in not_found_codes:
            raise
        return describe_all() if describe_all else describe([own_id])


def read_tags(client: Client, spec: ResourceSpec, arn: str, read_from_resource: Callable[[], Tags]) -> Tags:
    """Return the tags of a resource, from the index of tags if that shows exactly the desired tags.

    During a read of many resources, one call reads the index (Resource Groups Tagging API) for the whole
    stack. The index lags, so if it shows other tags, `read_from_resource` reads them from the resource itself.
    """
    if client.shares_reads:
        suffixes = client.batch_scope.suffix_batch(spec.suffix, most=_MAX_TAG_VALUES)
        indexed = tags_by_arn(sibling_client(client, ResourceGroupsTagging), suffixes).get(arn, {})
        if {key: value for key, value in indexed.items() if not key.startswith(AWS_TAG_PREFIX)} == dict(spec.tags):
            return spec.tags
    return read_from_resource()
