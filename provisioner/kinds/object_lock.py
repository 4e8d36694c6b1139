"""S3 Object Lock on a bucket of ours: what lies in it goes only when its retention has ended.

S3 user guide, object-lock: a version under COMPLIANCE is deleted by nobody before its end, one under a legal
hold not while that is on. Somebody else turned it on: we ask for none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder

# A bucket without it answers so (terraform-provider-aws s3/bucket_object_lock_configuration.go), an object
# without a retention or a hold with the other.
_NONE = frozenset({"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration"})
_YEAR = 365
_OF_ITS_OWN = Holder(
    "S3 Object Lock, where objects in it are under a retention or a legal hold of their own",
    passing=True,
    remedy="each is told when it cannot be deleted, with its end",
    doubtful=True,
)


def locks(s3: Any, bucket: str) -> list[Holder]:
    """GetObjectLockConfiguration: until when what is written now is locked."""
    config = _told(lambda: s3.get_object_lock_configuration(Bucket=bucket)).get("ObjectLockConfiguration", {})
    if config.get("ObjectLockEnabled") != "Enabled":
        return []
    rule = config.get("Rule", {}).get("DefaultRetention")
    if not rule:
        return [_OF_ITS_OWN]
    days = rule.get("Days") or rule["Years"] * _YEAR
    end = datetime.now(UTC) + timedelta(days=days)
    remedy = f"what is written now is locked until {end:%Y-%m-%d}, UTC: run the same command again then"
    what = f"S3 Object Lock ({rule['Mode']}, {days} days from the writing of each object)"
    return [Holder(what, passing=False, remedy=remedy, later=True)]


def lock_of(s3: Any, bucket: str, object_: Doc) -> list[Holder]:
    """GetObjectRetention, GetObjectLegalHold: what keeps one version, and until when."""
    where = {"Bucket": bucket, "Key": object_["Key"], "VersionId": object_["VersionId"]}
    name = f"the object {object_['Key']}"
    found = []
    if end := _told(lambda: s3.get_object_retention(**where)).get("Retention", {}).get("RetainUntilDate"):
        remedy = f"run the same command again from {end:%Y-%m-%d %H:%M} UTC on"
        found.append(Holder(f"S3 Object Lock on {name}", passing=False, remedy=remedy, later=True))
    if _told(lambda: s3.get_object_legal_hold(**where)).get("LegalHold", {}).get("Status") == "ON":
        off = (
            f"`aws s3api put-object-legal-hold --bucket {bucket} --key {object_['Key']} "
            f"--version-id {object_['VersionId']} --legal-hold Status=OFF`"
        )
        found.append(Holder(f"a legal hold on {name}", passing=False, remedy=off))
    return found


def _told(ask: Callable[[], Doc]) -> Doc:
    try:
        return dict(ask())
    except ClientError as error:
        if code_of(error) not in _NONE:
            raise
        return {}
