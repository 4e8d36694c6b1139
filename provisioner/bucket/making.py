"""Makes the bucket for a team's state, and sees that it is private, versioned, encrypted and TLS only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from provisioner.bucket.address import Bucket
from provisioner.bucket.calls import patiently
from provisioner.engine.faults import code_of
from provisioner.errors import Blocked

Doc = dict[str, Any]

# CreateBucket refuses to be told this one (API_CreateBucket, LocationConstraint).
_UNNAMED = "us-east-1"
_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_OURS = "ml-api-state"
# What this tool writes over is kept this long; the past ledgers are objects of their own.
_DAYS = 30
# A new bucket may not be seen by every call for a minute (terraform-provider-aws, s3/bucket_policy.go).
_NEW = frozenset({"NoSuchBucket", "404"})
_NEW_PATIENCE = 60.0


def make(bucket: Bucket, region: str) -> None:
    """Make the bucket; Blocked where the name is taken by somebody else."""
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


def guard(bucket: Bucket, region: str, account: str, partition: str) -> Iterator[tuple[str, bool]]:
    """See to each of the four, one after the other: what it is, and whether it had to be set.

    What the owner has set besides is left as it is: statements, rules, a key of their own.
    """
    client = bucket.aws.client("s3", region)
    whose = {"Bucket": bucket.name, "ExpectedBucketOwner": account}
    arn = f"arn:{partition}:s3:::{bucket.name}"
    measures: dict[str, Callable[[], bool]] = {
        "private": lambda: _close(client, whose),
        "versioned": lambda: _version(client, whose),
        "encrypted": lambda: _encrypt(client, whose),
        "TLS only": lambda: _demand_tls(client, whose, arn),
        f"old versions kept for {_DAYS} days": lambda: _let_go(client, whose, bucket.prefix),
    }
    for words, measure in measures.items():
        done = patiently(measure, f"making {bucket.name} {words}", also=_NEW, patience=_NEW_PATIENCE)
        yield words, done


def _close(client: Any, whose: Doc) -> bool:
    wanted = dict.fromkeys(_CLOSED, True)
    told = _told(client.get_public_access_block, whose, "NoSuchPublicAccessBlockConfiguration")
    if told.get("PublicAccessBlockConfiguration") == wanted:
        return False
    client.put_public_access_block(**whose, PublicAccessBlockConfiguration=wanted)
    return True


def _version(client: Any, whose: Doc) -> bool:
    if client.get_bucket_versioning(**whose).get("Status") == "Enabled":
        return False
    client.put_bucket_versioning(**whose, VersioningConfiguration={"Status": "Enabled"})
    return True


def _encrypt(client: Any, whose: Doc) -> bool:
    if _told(client.get_bucket_encryption, whose, "ServerSideEncryptionConfigurationNotFoundError"):
        return False
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(**whose, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return True


def _demand_tls(client: Any, whose: Doc, arn: str) -> bool:
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
    if wanted in policy["Statement"]:
        return False
    others = [one for one in policy["Statement"] if one.get("Sid") != _OURS]
    client.put_bucket_policy(**whose, Policy=json.dumps({**policy, "Statement": [*others, wanted]}))
    return True


def _let_go(client: Any, whose: Doc, prefix: str) -> bool:
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
    client.put_bucket_lifecycle_configuration(**whose, LifecycleConfiguration={"Rules": [*others, wanted]})
    return True


def _told(read: Callable[..., Doc], whose: Doc, none: str) -> Doc:
    """What S3 says; nothing where it says, by that code, that none was ever set."""
    try:
        return read(**whose)
    except ClientError as error:
        if code_of(error) == none:
            return {}
        raise
