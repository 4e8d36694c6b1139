"""The objects of a bucket as a shelf: If-Match and If-None-Match are what makes every write a question."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from provisioner.bucket.calls import patiently
from provisioner.engine.faults import Fault, code_of, fault_of
from state.shelf import Conflict, Kept

T = TypeVar("T")

# A write over what is not there answers 404 on AWS; a write over what is other than thought, 412.
_CONFLICT = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404"})
_ABSENT = frozenset({"NoSuchKey", "404"})


class BucketShelf:
    """One bucket; `client` gives the S3 client of its region, `renew` one for one whose keys have expired."""

    def __init__(
        self, client: Callable[[], Any], bucket: str, renew: Callable[[Any], Any] | None = None
    ) -> None:
        self._client = client
        self._renew = renew
        self._bucket = bucket
        self._first_seen: dict[str, tuple[str, float]] = {}

    def get(self, key: str) -> Kept | None:
        """The object's body, its ETag, and how long ago it was written by S3's own clock."""

        def once(s3: Any) -> Kept | None:
            try:
                answer = s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return None
                raise
            tag = _strong(answer["ETag"])
            return Kept(answer["Body"].read(), tag, self._age(key, tag, answer))

        return self._patiently(once, f"reading {self._words(key)}")

    def put(self, key: str, text: bytes, over: str | None) -> str:
        """PutObject with If-Match, or with If-None-Match where nothing may stand there."""
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}

        def once(s3: Any) -> str:
            try:
                answer = s3.put_object(
                    Bucket=self._bucket, Key=key, Body=text, ContentType="application/json", **condition
                )
            except ClientError as error:
                raise (Conflict(key) if code_of(error) in _CONFLICT else error) from error
            return _strong(answer["ETag"])

        return self._patiently(once, f"writing {self._words(key)}")

    def drop(self, key: str, tag: str) -> None:
        """DeleteObject with If-Match; in a versioned bucket the text can still be had from its versions."""

        def once(s3: Any) -> None:
            try:
                s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=tag)
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return
                if code_of(error) in _CONFLICT and self.get(key) is not None:
                    raise Conflict(key) from error
                if code_of(error) not in _CONFLICT:
                    raise

        self._patiently(once, f"removing {self._words(key)}")

    def keys(self, prefix: str) -> list[str]:
        """ListObjectsV2, page by page."""

        def once(s3: Any) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [one["Key"] for page in pages for one in page.get("Contents", ())]

        return self._patiently(once, f"listing {self._words(prefix)}")

    def _patiently(self, call: Callable[[Any], T], doing: str) -> T:
        """Call until S3 answers; where the keys have expired, S3 did nothing: once more, with new ones."""

        def signed() -> T:
            s3 = self._client()
            try:
                return call(s3)
            except ClientError as error:
                if self._renew is None or fault_of(error) is not Fault.EXPIRED:
                    raise
                return call(self._renew(s3))

        return patiently(signed, doing)

    def _age(self, key: str, tag: str, answer: dict[str, Any]) -> float:
        """Seconds between the writing of an object and the answer that tells of it, by the store's clock.

        A store that tells no `Date` has no clock that could be asked (RFC 9110, 6.6.1). There an object is as
        old as it has been seen unchanged here: a lease that nobody renews goes to who waits that long.
        """
        with suppress(KeyError, TypeError, ValueError):
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            return float((now - answer["LastModified"]).total_seconds())
        known, since = self._first_seen.get(key, ("", 0.0))
        if known != tag:
            since = time.monotonic()
            self._first_seen[key] = (tag, since)
        return time.monotonic() - since

    def _words(self, key: str) -> str:
        return f"the state s3://{self._bucket}/{key}"


def _strong(tag: object) -> str:
    """The ETag as If-Match compares it: a weak one never matches there (RFC 9110, 13.1.1).

    S3 has no weak ones; what compresses on the way makes them so, and means the same object.
    """
    return str(tag).removeprefix("W/")
