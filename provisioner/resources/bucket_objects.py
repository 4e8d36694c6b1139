"""What lies in a bucket of ours: deleted page by page, unless S3 Object Lock keeps it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker, blocked_error

# The error codes for a bucket without Object Lock (terraform-provider-aws
# s3/bucket_object_lock_configuration.go), and for an object without a retention or a legal hold.
_NONE = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})
_YEAR = 365
# How many versions are checked for locks before a teardown, and how many of the locks are reported.
_LOOKED_AT, _MOST = 20, 3
_OF_ITS_OWN = Blocker(
    "S3 Object Lock, where objects in it are under a retention or a legal hold of their own",
    temporary=True,
    remedy="each is told when it cannot be deleted, with its end",
    uncertain=True,
)


def locks(s3: Any, bucket: str) -> list[Blocker]:
    """Return the bucket's default retention, and the locks of the first objects, as blockers."""
    config = _told(lambda: s3.get_object_lock_configuration(Bucket=bucket)).get("ObjectLockConfiguration", {})
    if config.get("ObjectLockEnabled") != "Enabled":
        return []
    rule = config.get("Rule", {}).get("DefaultRetention")
    by_rule = [_by_default(bucket, rule)] if rule else []
    return by_rule + _first_locked(s3, bucket)


def _by_default(bucket: str, rule: JsonObject) -> Blocker:
    """Return the bucket's default retention as a blocker, with the end for an object written now."""
    days = rule.get("Days") or rule["Years"] * _YEAR
    end = datetime.now(UTC) + timedelta(days=days)
    remedy = f"what is written now is locked until {end:%Y-%m-%d}, UTC: run the same command again then"
    what = f"S3 Object Lock ({rule['Mode']}, {days} days from the writing of each object)"
    each = _bypassed(bucket, rule["Mode"], "KEY", "ID", " of each version")
    return Blocker(what, temporary=False, remedy=f"{remedy}{each}", deferred=True)


def _first_locked(s3: Any, bucket: str) -> list[Blocker]:
    """Return the locks of the first few versions: checking all of them would take two calls for each.

    Return an uncertain blocker if none of them is locked and there are more, or if AWS denied the reads.
    """
    try:
        listed = s3.page("list_object_versions", Bucket=bucket)
        versions = listed.get("Versions", [])
        held = [one for each in versions[:_LOOKED_AT] for one in lock_of(s3, bucket, each)]
    except ClientError as error:
        if categorize(error) is not ErrorCategory.DENIED:
            raise
        return [_OF_ITS_OWN]
    is_all = len(versions) <= _LOOKED_AT and not listed.get("IsTruncated")
    return held[:_MOST] + ([] if held or is_all else [_OF_ITS_OWN])


def lock_of(s3: Any, bucket: str, object_: JsonObject) -> list[Blocker]:
    """Return what keeps one version from being deleted: a retention with its end, and a legal hold.

    Args:
        s3: The S3 client.
        bucket: The name of the bucket.
        object_: An entry of ListObjectVersions, with `Key` and `VersionId`.

    """
    key, version = object_["Key"], object_["VersionId"]
    where = {"Bucket": bucket, "Key": key, "VersionId": version}
    name = f"the object {key}"
    found = []
    told = _told(lambda: s3.get_object_retention(**where)).get("Retention", {})
    end = told.get("RetainUntilDate")
    if end and end > datetime.now(UTC):
        mode = told.get("Mode", "")
        remedy = f"run the same command again from {end:%Y-%m-%d %H:%M} UTC on"
        remedy += _bypassed(bucket, mode, key, version)
        found.append(Blocker(f"S3 Object Lock ({mode}) on {name}", temporary=False, remedy=remedy, deferred=True))
    if _told(lambda: s3.get_object_legal_hold(**where)).get("LegalHold", {}).get("Status") == "ON":
        off = f"`aws s3api put-object-legal-hold {_named(bucket, key, version)} --legal-hold Status=OFF`"
        found.append(Blocker(f"a legal hold on {name}", temporary=False, remedy=off))
    return found


def _bypassed(bucket: str, mode: str, key: str, version: str, of: str = "") -> str:
    """Return how to delete a version under GOVERNANCE before its retention ends; "" for other modes.

    That takes a permission which no policy of this tool grants.
    """
    if mode != "GOVERNANCE":
        return ""
    end = f"`aws s3api delete-object {_named(bucket, key, version)} --bypass-governance-retention`"
    return f"; or, with the right s3:BypassGovernanceRetention, {end}{of}"


def _named(bucket: str, key: str, version: str) -> str:
    return f"--bucket {bucket} --key {shlex.quote(key)} --version-id {version}"


def _told(ask: Callable[[], JsonObject]) -> JsonObject:
    """Return the answer of a read, or {} if S3 answers that there is no lock."""
    try:
        return dict(ask())
    except ClientError as error:
        if code_of(error) not in _NONE:
            raise
        return {}


def empty(s3: Any, bucket: str) -> None:
    """Delete all versions and delete markers in a bucket, page by page.

    Raises:
        ProvisionerError: Object Lock keeps a version; the message says until when.
        ClientError: S3 did not delete a version for another reason.

    """
    while some := _first(s3, bucket):
        told = s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
        for failed in told.get("Errors", []):
            raise _why(s3, bucket, failed, some)


def _why(s3: Any, bucket: str, failed: JsonObject, some: list[JsonObject]) -> Exception:
    """Return the error for a version that was not deleted.

    S3 answers AccessDenied for a locked object (S3 user guide, object-lock), so its locks are read first.
    """
    is_denied = failed["Code"] == "AccessDenied"
    (version, *_) = [one for one in some if one["Key"] == failed["Key"]]
    if is_denied and (blockers := lock_of(s3, bucket, version)):
        return blocked_error(f"Bucket {bucket}", blockers)
    refused: Exception = ClientError({"Error": failed}, "DeleteObjects")
    return refused


def _first(s3: Any, bucket: str) -> list[JsonObject]:
    """Return the keys and version ids of the first page of versions and delete markers."""
    listed = s3.page("list_object_versions", Bucket=bucket)
    found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
    return [{key: one[key] for key in ("Key", "VersionId")} for one in found]
