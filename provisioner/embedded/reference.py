"""What IAM knows of each action, from the service authorization reference: its resources and condition keys.

A file a service lies in `actions/`, each with its source. In `on`, a `*` before a type means that the action
always concerns one, a `+` behind it that aws:RequestTag can be asked of it, a `=` that aws:ResourceTag can.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.errors import ProvisionerError

_FOLDER = Path(__file__).parent / "actions"
_PLACE = re.compile(r"\$\{(\w+)\}")
REQUEST_TAG, RESOURCE_TAG = "aws:RequestTag", "aws:ResourceTag"
# Service authorization reference, where the prefix is not boto3's name of the service.
PREFIXES = {
    "elbv2": "elasticloadbalancing",
    "pricing-plan-manager": "pricingplanmanager",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
# Where the action is not called as the operation; of S3, "Amazon S3 API operations and permissions".
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
# The actions on a group of CloudWatch Logs for which IAM takes it by its name alone. For all others its ARN
# goes on (CloudWatch Logs API reference, LogGroup; aws-ia/terraform-aws-eks-blueprints#1454 shows a refusal).
_GROUP, _STREAM = ":log-group:", ":log-stream:"
_BY_NAME = frozenset({"logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"})
# Reads that take a prefix, or nothing, where others take a name.
_ASKED_WHOLE = {"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"}


@dataclass(frozen=True)
class On:
    """A type of resource that an action concerns."""

    type: str
    always: bool
    request_tag: bool
    resource_tag: bool


@dataclass(frozen=True)
class Action:
    """One action, as IAM names it."""

    name: str
    level: str
    on: tuple[On, ...]
    keys: frozenset[str]

    @property
    def prefix(self) -> str:
        """The service it is of."""
        return self.name.split(":", 1)[0]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.level in ("List", "Read")

    def whole(self, on: On) -> bool:
        """Whether it asks for all of a type, however few are wanted."""
        return self.name in _ASKED_WHOLE or (self.level == "List" and not on.always)

    def takes(self, key: str, on: On | None = None) -> bool:
        """Whether a condition on `key` can be met, for the type given."""
        if key == REQUEST_TAG:
            return key in self.keys or bool(on and on.request_tag)
        if key == RESOURCE_TAG:
            return key in self.keys or bool(on and on.resource_tag)
        return key in self.keys


def prefix_of(service: str) -> str:
    """What IAM calls a service of boto3's."""
    return PREFIXES.get(service, service)


def action_of(service: str, operation: str) -> str:
    """The action that a call of boto3's needs, as IAM names it."""
    prefix = prefix_of(service)
    return f"{prefix}:{ACTIONS.get(f'{prefix}:{operation}', operation)}"


def action(name: str) -> Action | None:
    """What is known of an action; None where no file tells of it."""
    prefix, _, short = name.partition(":")
    known = _service(prefix)["actions"].get(short)
    if known is None:
        return None
    tagged = {type_ for type_, one in _service(prefix)["resources"].items() if one.get("tagged")}
    on = tuple(_on(text, tagged) for text in known.get("on", ()))
    return Action(name, known["level"], on, frozenset(known.get("keys", ())))


@functools.cache
def known(name: str) -> Action:
    """What is known of an action; ProvisionerError where no file tells of it."""
    found = action(name)
    if found is None:
        raise ProvisionerError(
            f"It is not known here what IAM asks for {name}.",
            "This is a fault of the tool: provisioner/embedded/actions/ lacks it. Please report it.",
        )
    return found


def _on(text: str, tagged: set[str]) -> On:
    type_ = text.strip("*+=")
    marks = text[len(text.rstrip("+=")) :]
    return On(type_, text.startswith("*"), "+" in marks, "=" in marks or type_ in tagged)


def arn(prefix: str, type_: str, fills: tuple[str, ...], place: Mapping[str, str]) -> str:
    """The ARN of a type, its own places filled from the left and the rest by `*`.

    `place` tells Partition, Region and Account.
    """
    left = list(fills)
    form = str(_service(prefix)["resources"][type_]["arn"])

    def fill(match: re.Match[str]) -> str:
        if match[1] in ("Partition", "Region", "Account"):
            return place[match[1]]
        # The name of a key's alias begins with what stands before it in the ARN.
        lead = form[: match.start()].rpartition(":")[2]
        return left.pop(0).removeprefix(lead or ":") if left else "*"

    return _PLACE.sub(fill, form)


def asked(action: str, arn: str) -> str:
    """The ARN that IAM is asked about, where the service puts something behind that of the resource."""
    return f"{arn}{_STREAM}" if _goes_on(action, arn) else arn


def written(action: str, arn: str) -> str:
    """The ARN as a policy has to say it, so that what IAM is asked about is meant."""
    return f"{arn}:*" if _goes_on(action, arn) and not arn.endswith("*") else arn


def _goes_on(action: str, arn: str) -> bool:
    return action.startswith("logs:") and action not in _BY_NAME and _GROUP in arn and _STREAM not in arn


@functools.cache
def _service(prefix: str) -> dict[str, Any]:
    path = _FOLDER / f"{prefix}.json"
    if not path.exists():
        return {"source": "", "resources": {}, "actions": {}}
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known
