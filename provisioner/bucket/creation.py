"""Creates the bucket for a team's state, and makes it private, versioned, encrypted and TLS only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from provisioner.bucket.address import Bucket
from provisioner.bucket.calls import patiently
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.errors import Blocked

Doc = dict[str, Any]

# CreateBucket refuses this region as a constraint (API_CreateBucket, LocationConstraint).
_UNNAMED = "us-east-1"
_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_OURS = "ml-api-state"
# Overwritten objects are kept for this many days; old versions of a state are objects of their own.
_DAYS = 30
# A new bucket may be unknown to some calls for a minute (terraform-provider-aws, s3/bucket_policy.go).
_NEW = frozenset({"NoSuchBucket", "404"})
_NEW_PATIENCE = 60.0
_TLS = "TLS only"
_SIZE = "TransitionDefaultMinimumObjectSize"
# RFC 9110: Method Not Allowed, Not Implemented.
_LACKS = (405, 501)


def make(bucket: Bucket, region: str) -> None:
    """Create the bucket; it may exist already, if it is this account's.

    Raises:
        Blocked: The name is taken by somebody else.

    """
    place = {} if region == _UNNAMED else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client = bucket.aws.client("s3", region)

    def once() -> None:
        try:
            client.create_bucket(Bucket=bucket.name, **place)
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise Blocked(
                    f"The bucket {bucket.name} is somebody else's.", "Choose another name: it is one for all."
                ) from error
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise

    patiently(once, f"making the bucket {bucket.name}")


@dataclass(frozen=True)
class Measure:
    """One safeguard of the bucket.

    `words` name it, `is_new` says whether it had to be set, and `left_out` why it could not be set.
    """

    words: str
    is_new: bool = False
    left_out: str = ""


def guard(bucket: Bucket, region: str, account: str, partition: str) -> Iterator[Measure]:
    """Check and set five safeguards of the bucket, and yield each; a foreign store may lack some of them.

    The owner's other settings stay as they are: policy statements, lifecycle rules, a key of their own.
    """
    client = bucket.aws.client("s3", region)
    whose = {"Bucket": bucket.name} | ({} if bucket.endpoint else {"ExpectedBucketOwner": account})
    arn = f"arn:{partition}:s3:::{bucket.name}"
    measures: dict[str, Callable[[], bool]] = {
        "private": lambda: _close(client, whose),
        "versioned": lambda: _version(client, whose),
        "encrypted": lambda: _encrypt(client, whose),
        _TLS: lambda: _demand_tls(client, whose, arn),
        f"old versions kept for {_DAYS} days": lambda: _let_go(client, whose, bucket.prefix),
    }
    for words, measure in measures.items():
        if words == _TLS and bucket.endpoint.startswith("http:"):
            # The policy would lock out all callers without TLS, which is every caller of this store.
            yield Measure(words, left_out="this store is called without TLS")
            continue
        yield patiently(
            partial(_seen_to, bucket, words, measure),
            f"making {bucket.name} {words}",
            also=_NEW,
            patience=_NEW_PATIENCE,
        )


def _seen_to(bucket: Bucket, words: str, measure: Callable[[], bool]) -> Measure:
    """Set a safeguard; leave it out if a store other than Amazon's does not know it, or forgets it."""
    try:
        is_new = measure()
        if is_new and bucket.endpoint and measure():
            return Measure(words, left_out="this store takes it and forgets it")
    except (ClientError, ResponseParserError, ValueError, KeyError) as error:
        if not bucket.endpoint or not _is_unknown(error):
            raise
        return Measure(words, left_out=f"this store does not know it ({code_of(error) or type(error).__name__})")
    return Measure(words, is_new)


def _is_unknown(error: Exception) -> bool:
    """Return whether an error means that a store lacks a feature, and is neither a denial nor temporary."""
    if not isinstance(error, ClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status in _LACKS or (categorize(error) is ErrorCategory.REFUSED and code_of(error) not in _NEW)


def _close(client: Any, whose: Doc) -> bool:
    """Block all public access to the bucket; return whether that had to be set."""
    wanted = dict.fromkeys(_CLOSED, True)
    told = _told(client.get_public_access_block, whose, "NoSuchPublicAccessBlockConfiguration")
    if told.get("PublicAccessBlockConfiguration") == wanted:
        return False
    client.put_public_access_block(**whose, PublicAccessBlockConfiguration=wanted)
    return True


def _version(client: Any, whose: Doc) -> bool:
    """Turn versioning on; return whether that had to be set."""
    if client.get_bucket_versioning(**whose).get("Status") == "Enabled":
        return False
    client.put_bucket_versioning(**whose, VersioningConfiguration={"Status": "Enabled"})
    return True


def _encrypt(client: Any, whose: Doc) -> bool:
    """Turn default encryption on, unless the owner has; return whether that had to be set."""
    if _told(client.get_bucket_encryption, whose, "ServerSideEncryptionConfigurationNotFoundError"):
        return False
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(**whose, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return True


def _demand_tls(client: Any, whose: Doc, arn: str) -> bool:
    """Add a statement that denies calls without TLS; return whether it was missing."""
    wanted = {
        "Sid": _OURS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    told = _told(client.get_bucket_policy, whose, "NoSuchBucketPolicy").get("Policy")
    policy: Doc = json.loads(told) if told else {"Version": "2012-10-17", "Statement": []}
    said = policy["Statement"]
    statements = [said] if isinstance(said, dict) else said  # one of them needs no list
    if wanted in statements:
        return False
    others = [one for one in statements if one.get("Sid") != _OURS]
    client.put_bucket_policy(**whose, Policy=json.dumps({**policy, "Statement": [*others, wanted]}))
    return True


def _let_go(client: Any, whose: Doc, prefix: str) -> bool:
    """Add a rule that deletes overwritten versions under the prefix; return whether it was missing."""
    wanted = {
        "ID": _OURS,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "NoncurrentVersionExpiration": {"NoncurrentDays": _DAYS},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }
    told = _told(client.get_bucket_lifecycle_configuration, whose, "NoSuchLifecycleConfiguration")
    rules = told.get("Rules", [])
    if wanted in rules:
        return False
    others = [one for one in rules if one.get("ID") != _OURS]
    beside = {_SIZE: told[_SIZE]} if _SIZE in told else {}
    client.put_bucket_lifecycle_configuration(**whose, **beside, LifecycleConfiguration={"Rules": [*others, wanted]})
    return True


def _told(read: Callable[..., Doc], whose: Doc, none: str) -> Doc:
    """Return S3's answer; {} if S3 says, by the error code `none`, that nothing is set."""
    try:
        return read(**whose)
    except ClientError as error:
        if code_of(error) == none:
            return {}
        raise
