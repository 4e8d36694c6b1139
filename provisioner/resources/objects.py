"""The objects of a bucket: they are deleted page by page before the bucket is deleted."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import blocked_error
from provisioner.resources.object_lock import lock_of


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
