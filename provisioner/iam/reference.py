"""IAM's data about each action, from the service authorization reference: resource types and condition keys.

`actions/` has one JSON file for each service, with its source:

- `actions`: each action with its level, its condition keys and, in `on`, its resource types. A `*` before a type
  means that it is required. A `+` after a type means that the condition key aws:RequestTag is supported for it,
  a `=` that aws:ResourceTag is.
- `resources`: each resource type with its ARN, and whether aws:ResourceTag is supported for it everywhere.
- `tagging`: the action that tags a resource on create, by the creating action; `*` stands for all others
  ("granting permission to tag resources during creation" of each service).
- `named_by`: by resource type, the parameters that hold a name, id or ARN of one (botocore, input shapes). A
  blank separates the parts of one ARN, a star stands for every item of a list.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from state.errors import ProvisionerError

_FOLDER = Path(__file__).parent / "actions"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
REQUEST_TAG, RESOURCE_TAG = "aws:RequestTag", "aws:ResourceTag"
# Service prefixes that differ from boto3's name of the service (service authorization reference).
PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "pricing-plan-manager": "pricingplanmanager",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
# Actions whose name differs from the operation; for S3, see "Amazon S3 API operations and permissions".
ACTIONS = {
    "cloudfront:CreateDistributionWithTags": "CreateDistribution",
    "s3:DeleteBucketEncryption": "PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "s3:DeleteBucketTagging": "PutBucketTagging",
    "s3:DeleteObjects": "DeleteObject",
    "s3:DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "s3:GetBucketEncryption": "GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "s3:GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "s3:HeadBucket": "ListBucket",
    "s3:HeadObject": "GetObject",
    "s3:ListBuckets": "ListAllMyBuckets",
    "s3:ListMultipartUploads": "ListBucketMultipartUploads",
    "s3:ListObjectVersions": "ListBucketVersions",
    "s3:ListObjects": "ListBucket",
    "s3:ListObjectsV2": "ListBucket",
    "s3:PutBucketEncryption": "PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
# The actions for which IAM has the ARN of a log group without a suffix. For all others, the ARN has a suffix
# for the log stream (CloudWatch Logs API reference, LogGroup; aws-ia/terraform-aws-eks-blueprints#1454 shows
# a refusal).
_GROUP, _STREAM = ":log-group:", ":log-stream:"
_BY_NAME = frozenset({"logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"})
# Reads that IAM evaluates on all resources, because they take a prefix or nothing in place of a name.
_EVALUATED_ON_ALL = {"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"}


@dataclass(frozen=True)
class ActionTarget:
    """A resource type of an action: whether it is required, and which tag condition keys it supports."""

    type: str
    is_required: bool
    supports_request_tag: bool
    supports_resource_tag: bool


@dataclass(frozen=True)
class Action:
    """An IAM action, with its access level, resource types and condition keys."""

    name: str
    level: str
    targets: tuple[ActionTarget, ...]
    keys: frozenset[str]

    @property
    def prefix(self) -> str:
        """The service prefix of the action."""
        return self.name.split(":", 1)[0]

    @property
    def only_reads(self) -> bool:
        """Whether the action only reads."""
        return self.level in ("List", "Read")

    def covers_all(self, target: ActionTarget) -> bool:
        """Return whether IAM evaluates the action on all resources of a type, even if a call asks for few."""
        return self.name in _EVALUATED_ON_ALL or (self.level == "List" and not target.is_required)

    def supports(self, key: str, target: ActionTarget | None = None) -> bool:
        """Return whether the action supports the condition key `key`, for the given resource type."""
        if key == REQUEST_TAG:
            return key in self.keys or bool(target and target.supports_request_tag)
        if key == RESOURCE_TAG:
            return key in self.keys or bool(target and target.supports_resource_tag)
        return key in self.keys


def prefix_of(service: str) -> str:
    """Return IAM's prefix of a service, given boto3's name of it."""
    return PREFIXES.get(service, service)


def action_of(service: str, operation: str) -> str:
    """Return the IAM action of an operation, such as "s3:ListBucket", given boto3's names."""
    prefix = prefix_of(service)
    return f"{prefix}:{ACTIONS.get(f'{prefix}:{operation}', operation)}"


def find_action(name: str) -> Action | None:
    """Return the data of an action; None if no file has it."""
    prefix, _, action_name = name.partition(":")
    data = _service_data(prefix)["actions"].get(action_name)
    if data is None:
        return None
    resource_types = _service_data(prefix)["resources"]
    tagged_types = {type_ for type_, resource_type in resource_types.items() if resource_type.get("tagged")}
    targets = tuple(_parse_target(text, tagged_types) for text in data.get("on", ()))
    return Action(name, data["level"], targets, frozenset(data.get("keys", ())))


@functools.cache
def require_action(name: str) -> Action:
    """Return the data of an action.

    Raises:
        ProvisionerError: No file has it.

    """
    action = find_action(name)
    if action is None:
        raise ProvisionerError(
            f"It is not known here what IAM asks for {name}.",
            "This is a fault of the tool: provisioner/iam/actions/ lacks it. Please report it.",
        )
    return action


def tagging_action(action: str) -> str:
    """Return the action that tags the resource which another action creates; "" where none is needed."""
    prefix, _, action_name = action.partition(":")
    tagging: Mapping[str, str] = _service_data(prefix).get("tagging", {})
    name = tagging.get(action_name) or tagging.get("*", "")
    return f"{prefix}:{name}" if name else ""


def naming_parameters(prefix: str, type_: str) -> Sequence[str]:
    """Return the paths of the parameters that name a resource of this type."""
    paths: Sequence[str] = _service_data(prefix).get("named_by", {}).get(type_, ())
    return paths


def described_services() -> frozenset[str]:
    """Return boto3's names of the services that have a file here: those which this product calls."""
    services = {prefix: service for service, prefix in PREFIXES.items()}
    return frozenset(services.get(path.stem, path.stem) for path in _FOLDER.glob("*.json"))


def _parse_target(text: str, tagged: set[str]) -> ActionTarget:
    """Parse a resource type with its marks, as described at the top of the module."""
    type_ = text.strip("*+=")
    marks = text[len(text.rstrip("+=")) :]
    return ActionTarget(type_, text.startswith("*"), "+" in marks, "=" in marks or type_ in tagged)


def arn(prefix: str, type_: str, values: tuple[str, ...], location: Mapping[str, str]) -> str:
    """Return an ARN of a resource type.

    Args:
        prefix: The service prefix.
        type_: The resource type.
        values: The values of the type's own variables, from the left; `*` takes the place of missing ones.
        location: The values of Partition, Region and Account.

    """
    remaining = list(values)
    template = str(_service_data(prefix)["resources"][type_]["arn"])

    def value_of(match: re.Match[str]) -> str:
        """Return the value of one variable of the ARN."""
        if match[1] in ("Partition", "Region", "Account"):
            return location[match[1]]
        # The name of a KMS alias repeats the text before it in the ARN ("alias/").
        text_before = template[: match.start()].rpartition(":")[2]
        return remaining.pop(0).removeprefix(text_before) if remaining else "*"

    return _VARIABLE.sub(value_of, template)


def evaluated_arn(action: str, arn: str) -> str:
    """Return the ARN on which IAM evaluates an action; for most actions on a log group, a suffix is added."""
    return f"{arn}{_STREAM}" if _has_stream_suffix(action, arn) else arn


def policy_arn(action: str, arn: str) -> str:
    """Return the ARN to put into a policy, so that it matches the ARN on which IAM evaluates the action."""
    return f"{arn}:*" if _has_stream_suffix(action, arn) and not arn.endswith("*") else arn


def _has_stream_suffix(action: str, arn: str) -> bool:
    """Return whether IAM adds the suffix of a log stream to the ARN for this action."""
    return action.startswith("logs:") and action not in _BY_NAME and _GROUP in arn and _STREAM not in arn


@functools.cache
def _service_data(prefix: str) -> dict[str, Any]:
    """Return the data of a service; empty if it has no file."""
    path = _FOLDER / f"{prefix}.json"
    if not path.exists():
        return {"source": "", "resources": {}, "actions": {}}
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
