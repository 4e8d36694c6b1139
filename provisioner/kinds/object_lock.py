"""S3 Object Lock on a bucket of ours: what lies in it goes only when its retention has ended.

S3 user guide, object-lock: a version under COMPLIANCE is deleted by nobody before its end, one under
GOVERNANCE by who has s3:BypassGovernanceRetention and says so, one under a legal hold not while that is on.
Somebody else turned it on: we ask for none, and pass over none.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import Fault, code_of, fault_of
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder

# A bucket without it answers so (terraform-provider-aws s3/bucket_object_lock_configuration.go), an object
# without a retention or a hold with the other.
_NONE = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})
_YEAR = 365
# So many versions are asked for theirs before a teardown, and so many locks are told.
_LOOKED_AT, _MOST = 20, 3
_OF_ITS_OWN = Holder(
    "S3 Object Lock, where objects in it are under a retention or a legal hold of their own",
    passing=True,
    remedy="each is told when it cannot be deleted, with its end",
    doubtful=True,
)


def locks(s3: Any, bucket: str) -> list[Holder]:
    """GetObjectLockConfiguration: until when what is written now is locked, and what some objects tell."""
    config = _told(lambda: s3.get_object_lock_configuration(Bucket=bucket)).get("ObjectLockConfiguration", {})
    if config.get("ObjectLockEnabled") != "Enabled":
        return []
    rule = config.get("Rule", {}).get("DefaultRetention")
    by_rule = [_by_default(bucket, rule)] if rule else []
    return by_rule + _first_locked(s3, bucket)


def _by_default(bucket: str, rule: Doc) -> Holder:
    days = rule.get("Days") or rule["Years"] * _YEAR
    end = datetime.now(UTC) + timedelta(days=days)
    remedy = f"what is written now is locked until {end:%Y-%m-%d}, UTC: run the same command again then"
    what = f"S3 Object Lock ({rule['Mode']}, {days} days from the writing of each object)"
    each = _bypassed(bucket, rule["Mode"], "KEY", "ID", " of each version")
    return Holder(what, passing=False, remedy=f"{remedy}{each}", later=True)


def _first_locked(s3: Any, bucket: str) -> list[Holder]:
    """ListObjectVersions, and what locks the first few: more would be a call for each of all the records."""
    try:
        listed = s3.page("list_object_versions", Bucket=bucket)
        versions = listed.get("Versions", [])
        held = [one for each in versions[:_LOOKED_AT] for one in lock_of(s3, bucket, each)]
    except ClientError as error:
        if fault_of(error) is not Fault.DENIED:
            raise
        return [_OF_ITS_OWN]
    is_all = len(versions) <= _LOOKED_AT and not listed.get("IsTruncated")
    return held[:_MOST] + ([] if held or is_all else [_OF_ITS_OWN])


def lock_of(s3: Any, bucket: str, object_: Doc) -> list[Holder]:
    """GetObjectRetention, GetObjectLegalHold: what keeps one version, and until when."""
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
        found.append(Holder(f"S3 Object Lock ({mode}) on {name}", passing=False, remedy=remedy, later=True))
    if _told(lambda: s3.get_object_legal_hold(**where)).get("LegalHold", {}).get("Status") == "ON":
        off = f"`aws s3api put-object-legal-hold {_named(bucket, key, version)} --legal-hold Status=OFF`"
        found.append(Holder(f"a legal hold on {name}", passing=False, remedy=off))
    return found


def _bypassed(bucket: str, mode: str, key: str, version: str, of: str = "") -> str:
    """How a version under GOVERNANCE goes sooner: by a right of its own, which no policy of ours asks for."""
    if mode != "GOVERNANCE":
        return ""
    end = f"`aws s3api delete-object {_named(bucket, key, version)} --bypass-governance-retention`"
    return f"; or, with the right s3:BypassGovernanceRetention, {end}{of}"


def _named(bucket: str, key: str, version: str) -> str:
    return f"--bucket {bucket} --key {shlex.quote(key)} --version-id {version}"


def _told(ask: Callable[[], Doc]) -> Doc:
    try:
        return dict(ask())
    except ClientError as error:
        if code_of(error) not in _NONE:
            raise
        return {}
