"""The objects in a bucket of the stack: deleted page by page, unless S3 Object Lock keeps them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker, blocked_error
from provisioner.service_clients import S3

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import ErrorTypeDef, ObjectIdentifierTypeDef

# The error codes for a bucket without Object Lock (terraform-provider-aws
# s3/bucket_object_lock_configuration.go), and for an object without a retention or a legal hold.
_NO_LOCK_CODES = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})
_DAYS_PER_YEAR = 365
# How many versions are checked for locks before a teardown, and how many of the locks are reported.
_CHECKED_VERSIONS, _REPORTED_LOCKS = 20, 3
_UNCHECKED_LOCKS = Blocker(
    "S3 Object Lock, where objects in it are under a retention or a legal hold of their own",
    temporary=True,
    remedy="an object that cannot be deleted is reported with the end of its lock",
    uncertain=True,
)


def lock_blockers(s3: S3, bucket: str) -> list[Blocker]:
    """Return the bucket's default retention, and the locks of the first objects, as blockers."""
    config = _read_lock(lambda: s3.get_object_lock_configuration(Bucket=bucket)).get("ObjectLockConfiguration", {})
    if config.get("ObjectLockEnabled") != "Enabled":
        return []
    retention = config.get("Rule", {}).get("DefaultRetention")
    default_locks = [_default_retention(bucket, retention)] if retention else []
    return default_locks + _first_object_locks(s3, bucket)


def _default_retention(bucket: str, retention: JsonObject) -> Blocker:
    """Return the bucket's default retention as a blocker, with the end for an object written now."""
    days = retention.get("Days") or retention["Years"] * _DAYS_PER_YEAR
    end = datetime.now(UTC) + timedelta(days=days)
    remedy = f"what is written now is locked until {end:%Y-%m-%d}, UTC: run the same command again then"
    description = f"S3 Object Lock ({retention['Mode']}, {days} days from the writing of each object)"
    bypass_hint = _bypass_hint(bucket, retention["Mode"], "KEY", "ID", " of each version")
    return Blocker(description, temporary=False, remedy=f"{remedy}{bypass_hint}", deferred=True)


def _first_object_locks(s3: S3, bucket: str) -> list[Blocker]:
    """Return the locks of the first few versions: checking all of them would take two calls for each.

    Return an uncertain blocker if none of them is locked and there are more, or if AWS denied the reads.
    """
    try:
        page = s3.one_page.list_object_versions(Bucket=bucket)
        versions = page.get("Versions", [])
        locks = [lock for version in versions[:_CHECKED_VERSIONS] for lock in object_locks(s3, bucket, version)]
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return [_UNCHECKED_LOCKS]
    all_checked = len(versions) <= _CHECKED_VERSIONS and not page.get("IsTruncated")
    return locks[:_REPORTED_LOCKS] + ([] if locks or all_checked else [_UNCHECKED_LOCKS])


def object_locks(s3: S3, bucket: str, entry: JsonObject) -> list[Blocker]:
    """Return what keeps one version from being deleted: a retention with its end, and a legal hold.

    Args:
        s3: The S3 client.
        bucket: The name of the bucket.
        entry: An entry of ListObjectVersions, with `Key` and `VersionId`.

    """
    key, version = entry["Key"], entry["VersionId"]
    request = {"Bucket": bucket, "Key": key, "VersionId": version}
    blockers = []
    retention = _read_lock(lambda: s3.get_object_retention(**request)).get("Retention", {})
    end = retention.get("RetainUntilDate")
    if end and end > datetime.now(UTC):
        mode = retention.get("Mode", "")
        remedy = f"run the same command again from {end:%Y-%m-%d %H:%M} UTC on"
        remedy += _bypass_hint(bucket, mode, key, version)
        blockers.append(
            Blocker(f"S3 Object Lock ({mode}) on the object {key}", temporary=False, remedy=remedy, deferred=True)
        )
    if _read_lock(lambda: s3.get_object_legal_hold(**request)).get("LegalHold", {}).get("Status") == "ON":
        command = f"`aws s3api put-object-legal-hold {_version_options(bucket, key, version)} --legal-hold Status=OFF`"
        blockers.append(Blocker(f"a legal hold on the object {key}", temporary=False, remedy=command))
    return blockers


def _bypass_hint(bucket: str, mode: str, key: str, version: str, qualifier: str = "") -> str:
    """Return how to delete a version under GOVERNANCE before its retention ends; "" for other modes.

    That takes a permission which no policy of this tool grants.
    """
    if mode != "GOVERNANCE":
        return ""
    command = f"`aws s3api delete-object {_version_options(bucket, key, version)} --bypass-governance-retention`"
    return f"; or, with the right s3:BypassGovernanceRetention, {command}{qualifier}"


def _version_options(bucket: str, key: str, version: str) -> str:
    """Return the options of the AWS CLI that name one version of an object."""
    return f"--bucket {bucket} --key {shlex.quote(key)} --version-id {version}"


def _read_lock(read: Callable[[], JsonObject]) -> JsonObject:
    """Return the answer of a read, or {} if S3 answers that there is no lock."""
    try:
        return dict(read())
    except ClientError as error:
        if code_of(error) not in _NO_LOCK_CODES:
            raise
        return {}


def delete_all_objects(s3: S3, bucket: str) -> None:
    """Delete all versions and delete markers in a bucket, page by page.

    Raises:
        ProvisionerError: Object Lock keeps a version; the message says until when.
        ClientError: S3 did not delete a version for another reason.

    """
    while versions := _first_page(s3, bucket):
        reply = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
        for error in reply.get("Errors", []):
            raise _deletion_error(s3, bucket, error, versions)


def _deletion_error(s3: S3, bucket: str, error: ErrorTypeDef, versions: list[ObjectIdentifierTypeDef]) -> Exception:
    """Return the error for a version that was not deleted.

    S3 answers AccessDenied for a locked object (S3 user guide, object-lock), so its locks are read first.
    """
    of_key = [version for version in versions if version["Key"] == error["Key"]]
    # An emulator may not say which version it refused: then the first one is read.
    refused = [version for version in of_key if version["VersionId"] == error.get("VersionId")] or of_key
    if error["Code"] == "AccessDenied" and (blockers := object_locks(s3, bucket, refused[0])):
        return blocked_error(f"Bucket {bucket}", blockers)
    client_error: Exception = ClientError({"Error": error}, "DeleteObjects")
    return client_error


def _first_page(s3: S3, bucket: str) -> list[ObjectIdentifierTypeDef]:
    """Return the keys and version ids of the first page of versions and delete markers."""
    page = s3.one_page.list_object_versions(Bucket=bucket)
    versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
