"""Creates the bucket for a team's state, and makes it private, versioned, encrypted and TLS only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from provisioner.bucket.address import Bucket
from provisioner.bucket.calls import call_with_retries
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import Blocked

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import LifecycleRuleOutputTypeDef, PublicAccessBlockConfigurationTypeDef

Doc = dict[str, Any]

# CreateBucket refuses this region as a constraint (API_CreateBucket, LocationConstraint).
_REGION_WITHOUT_CONSTRAINT = "us-east-1"
_RULE_ID = "ml-api-state"
# Overwritten objects are kept for this many days; old versions of a state are objects of their own.
_OLD_VERSION_DAYS = 30
# A new bucket may be unknown to some calls for a minute (terraform-provider-aws, s3/bucket_policy.go).
_NOT_YET_VISIBLE = frozenset({"NoSuchBucket", "404"})
_VISIBILITY_TIMEOUT_SECONDS = 60.0
_TLS = "TLS only"
_TRANSITION_SIZE_KEY = "TransitionDefaultMinimumObjectSize"
# RFC 9110: Method Not Allowed, Not Implemented.
_UNSUPPORTED_STATUSES = (405, 501)


def create_bucket(bucket: Bucket, region: str) -> None:
    """Create the bucket; it may exist already, if it is this account's.

    Raises:
        Blocked: The name is taken by somebody else.

    """
    constraint: JsonObject = (
        {} if region == _REGION_WITHOUT_CONSTRAINT else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    s3 = bucket.aws.client("s3", region)

    def attempt() -> None:
        try:
            s3.create_bucket(Bucket=bucket.name, **constraint)
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise Blocked(
                    f"The bucket {bucket.name} is somebody else's.", "Choose another name: it is one for all."
                ) from error
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise

    call_with_retries(attempt, f"making the bucket {bucket.name}")


@dataclass(frozen=True)
class Safeguard:
    """One safeguard of the bucket.

    `description` names it, `is_new` says whether it had to be set, and `omission_reason` why it could not be set.
    """

    description: str
    is_new: bool = False
    omission_reason: str = ""


def set_safeguards(bucket: Bucket, region: str, account: str, partition: str) -> Iterator[Safeguard]:
    """Check and set five safeguards of the bucket, and yield each; a foreign store may lack some of them.

    The owner's other settings stay as they are: policy statements, lifecycle rules, a key of their own.
    """
    s3 = bucket.aws.client("s3", region)
    owner_arguments = {"Bucket": bucket.name} | ({} if bucket.endpoint else {"ExpectedBucketOwner": account})
    arn = f"arn:{partition}:s3:::{bucket.name}"
    safeguards: dict[str, Callable[[], bool]] = {
        "private": lambda: _block_public_access(s3, owner_arguments),
        "versioned": lambda: _enable_versioning(s3, owner_arguments),
        "encrypted": lambda: _enable_encryption(s3, owner_arguments),
        _TLS: lambda: _require_tls(s3, owner_arguments, arn),
        f"old versions kept for {_OLD_VERSION_DAYS} days": lambda: _expire_old_versions(
            s3, owner_arguments, bucket.prefix
        ),
    }
    for description, ensure in safeguards.items():
        if description == _TLS and bucket.endpoint.startswith("http:"):
            # The policy would lock out all callers without TLS, which is every caller of this store.
            yield Safeguard(description, omission_reason="this store is called without TLS")
            continue
        yield call_with_retries(
            partial(_set_safeguard, bucket, description, ensure),
            f"making {bucket.name} {description}",
            also_retried=_NOT_YET_VISIBLE,
            timeout=_VISIBILITY_TIMEOUT_SECONDS,
        )


def _set_safeguard(bucket: Bucket, description: str, ensure: Callable[[], bool]) -> Safeguard:
    """Set a safeguard; leave it out if a store other than Amazon's does not know it, or forgets it.

    `ensure` sets it if necessary, and returns whether that was so.
    """
    try:
        is_new = ensure()
        if is_new and bucket.endpoint and ensure():
            return Safeguard(description, omission_reason="this store takes it and forgets it")
    except (ClientError, ResponseParserError, ValueError, KeyError) as error:
        if not bucket.endpoint or not _is_unsupported(error):
            raise
        return Safeguard(
            description, omission_reason=f"this store does not know it ({code_of(error) or type(error).__name__})"
        )
    return Safeguard(description, is_new)


def _is_unsupported(error: Exception) -> bool:
    """Return whether an error means that a store lacks a feature, and is neither a denial nor temporary."""
    if not isinstance(error, ClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status in _UNSUPPORTED_STATUSES or (
        categorize(error) is ErrorCategory.REFUSED and code_of(error) not in _NOT_YET_VISIBLE
    )


def _block_public_access(s3: S3Client, owner_arguments: Doc) -> bool:
    """Block all public access to the bucket; return whether that had to be set."""
    desired: PublicAccessBlockConfigurationTypeDef = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    current = _read_setting(s3.get_public_access_block, owner_arguments, "NoSuchPublicAccessBlockConfiguration")
    if current.get("PublicAccessBlockConfiguration") == desired:
        return False
    s3.put_public_access_block(**owner_arguments, PublicAccessBlockConfiguration=desired)
    return True


def _enable_versioning(s3: S3Client, owner_arguments: Doc) -> bool:
    """Turn versioning on; return whether that had to be set."""
    if s3.get_bucket_versioning(**owner_arguments).get("Status") == "Enabled":
        return False
    s3.put_bucket_versioning(**owner_arguments, VersioningConfiguration={"Status": "Enabled"})
    return True


def _enable_encryption(s3: S3Client, owner_arguments: Doc) -> bool:
    """Turn default encryption on, unless the owner has; return whether that had to be set."""
    if _read_setting(s3.get_bucket_encryption, owner_arguments, "ServerSideEncryptionConfigurationNotFoundError"):
        return False
    s3.put_bucket_encryption(
        **owner_arguments,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    return True


def _require_tls(s3: S3Client, owner_arguments: Doc, arn: str) -> bool:
    """Add a statement that denies calls without TLS; return whether it was missing."""
    desired = {
        "Sid": _RULE_ID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    current = _read_setting(s3.get_bucket_policy, owner_arguments, "NoSuchBucketPolicy").get("Policy")
    policy: Doc = json.loads(current) if current else {"Version": "2012-10-17", "Statement": []}
    # A policy with one statement may hold it without a list.
    listed = policy["Statement"]
    statements = [listed] if isinstance(listed, dict) else listed
    if desired in statements:
        return False
    others = [statement for statement in statements if statement.get("Sid") != _RULE_ID]
    s3.put_bucket_policy(**owner_arguments, Policy=json.dumps({**policy, "Statement": [*others, desired]}))
    return True


def _expire_old_versions(s3: S3Client, owner_arguments: Doc, prefix: str) -> bool:
    """Add a rule that deletes overwritten versions under the prefix; return whether it was missing."""
    desired: LifecycleRuleOutputTypeDef = {
        "ID": _RULE_ID,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "NoncurrentVersionExpiration": {"NoncurrentDays": _OLD_VERSION_DAYS},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }
    current = _read_setting(s3.get_bucket_lifecycle_configuration, owner_arguments, "NoSuchLifecycleConfiguration")
    rules = current.get("Rules", [])
    if desired in rules:
        return False
    others = [rule for rule in rules if rule.get("ID") != _RULE_ID]
    transition_size = {_TRANSITION_SIZE_KEY: current[_TRANSITION_SIZE_KEY]} if _TRANSITION_SIZE_KEY in current else {}
    s3.put_bucket_lifecycle_configuration(
        **owner_arguments, **transition_size, LifecycleConfiguration={"Rules": [*others, desired]}
    )
    return True


def _read_setting(read: Callable[..., JsonObject], owner_arguments: Doc, absent_code: str) -> JsonObject:
    """Return S3's answer; {} if S3 says, by the error code `absent_code`, that nothing is set."""
    try:
        return read(**owner_arguments)
    except ClientError as error:
        if code_of(error) == absent_code:
            return {}
        raise
