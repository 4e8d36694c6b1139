"""The object store in a bucket: If-Match and If-None-Match make every write a compare-and-swap."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from provisioner.bucket.calls import NO_BUCKET, call_with_retries
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from state.errors import ProvisionerError
from state.object_store import StoredObject, WriteConflict

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

T = TypeVar("T")

# AWS answers a conditional write with 404 if the object does not exist, and with 412 if it has changed.
_CONFLICT = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404"})
_ABSENT = frozenset({"NoSuchKey", "404"})


class S3ObjectStore:
    """The objects of one bucket, each written only if it is as the writer knows it.

    `client` returns the S3 client of the bucket's region; `renew` returns a client with new credentials for
    one whose own have expired. `missing_error` returns the error of a bucket that does not exist; its argument says
    in words what was tried.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        bucket: str,
        renew: Callable[[Any], Any] | None = None,
        missing_error: Callable[[str], ProvisionerError] | None = None,
    ) -> None:
        self._client = client
        self._renew = renew
        self._missing = missing_error
        self._bucket = bucket
        self._first_seen: dict[str, tuple[str, float]] = {}

    def get(self, key: str) -> StoredObject | None:
        """Return the body, ETag and age in seconds (by S3's clock) of an object; None if there is none."""

        def attempt(s3: S3Client) -> StoredObject | None:
            try:
                answer = s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
            etag = _strong_etag(answer["ETag"])
            return StoredObject(answer["Body"].read(), etag, self._age_seconds(key, etag, answer))

        return self._call(attempt, f"reading {self._describe(key)}")

    def put(self, key: str, text: bytes, expected_etag: str | None) -> str:
        """Write an object, and return its new ETag.

        It must have the ETag `expected_etag` (If-Match), or must not exist if `expected_etag` is None (If-None-Match).

        Raises:
            WriteConflict: The object is another than that.

        """
        condition: JsonObject = {"IfNoneMatch": "*"} if expected_etag is None else {"IfMatch": expected_etag}

        def attempt(s3: S3Client) -> str:
            try:
                answer = s3.put_object(
                    Bucket=self._bucket, Key=key, Body=text, ContentType="application/json", **condition
                )
            except ClientError as error:
                raise (WriteConflict(key) if code_of(error) in _CONFLICT else error) from error
            return _strong_etag(answer["ETag"])

        return self._call(attempt, f"writing {self._describe(key)}")

    def delete(self, key: str, etag: str) -> None:
        """Delete an object with the ETag `etag`; in a versioned bucket its text stays among the versions.

        Raises:
            WriteConflict: The object has another ETag.

        """

        def attempt(s3: S3Client) -> None:
            try:
                s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=etag)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return
                if code_of(error) in _CONFLICT and self.get(key) is not None:
                    raise WriteConflict(key) from error
                if code_of(error) not in _CONFLICT:
                    raise

        self._call(attempt, f"removing {self._describe(key)}")

    def list_keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, from all pages of ListObjectsV2."""

        def attempt(s3: S3Client) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", ())]

        return self._call(attempt, f"listing {self._describe(prefix)}")

    def _call(self, call: Callable[[Any], T], activity: str) -> T:
        """Make a call with retries; repeat it once with new credentials if the old ones have expired.

        S3 does nothing for a call whose credentials have expired.
        """

        def call_with_renewal() -> T:
            s3 = self._client()
            try:
                return call(s3)
            except ClientError as error:
                if self._renew is None or categorize(error) is not ErrorCategory.EXPIRED:
                    raise
                return call(self._renew(s3))

        def call_or_name_bucket() -> T:
            try:
                return call_with_renewal()
            except ClientError as error:
                if self._missing is None or code_of(error) != NO_BUCKET:
                    raise
                raise self._missing(activity) from error

        return call_with_retries(call_or_name_bucket, activity)

    def _age_seconds(self, key: str, etag: str, answer: JsonObject) -> float:
        """Return the seconds between the writing of an object and this answer, by the store's clock.

        A store that tells no `Date` has no clock to ask (RFC 9110, 6.6.1). There the age of an object is the
        time for which this process has seen it unchanged: a lease that is not renewed goes to a run that
        waits that long.
        """
        with suppress(KeyError, TypeError, ValueError):
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            return float((now - answer["LastModified"]).total_seconds())
        seen_etag, since = self._first_seen.get(key, ("", 0.0))
        if seen_etag != etag:
            since = time.monotonic()
            self._first_seen[key] = (etag, since)
        return time.monotonic() - since

    def _describe(self, key: str) -> str:
        """Name an object in the messages of errors."""
        return f"the state s3://{self._bucket}/{key}"


def _strong_etag(etag: object) -> str:
    """Return the ETag as a strong one: If-Match never matches a weak one (RFC 9110, 13.1.1).

    S3 has no weak ETags. A proxy that compresses makes them weak, and they mean the same object.
    """
    return str(etag).removeprefix("W/")
