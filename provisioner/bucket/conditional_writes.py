"""Tests by writes, not by a store's name, whether a store protects a state from being overwritten."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from provisioner.bucket.address import Bucket
from provisioner.bucket.s3_object_store import S3ObjectStore
from provisioner.errors import Blocked
from state.object_store import WriteConflict

_OTHER_ETAG = '"00000000000000000000000000000000"'


def check_conditional_writes(bucket: Bucket) -> None:
    """Write one key under conditions that hold and under conditions that fail, then delete it.

    Raises:
        Blocked: The store ignores If-None-Match or If-Match, so that two runs could overwrite each other's
            state; or it refuses a write whose condition holds.

    """
    object_store = S3ObjectStore(lambda: bucket.client, bucket.name)
    key = f"{bucket.prefix}.proof-{uuid.uuid4().hex}"
    etag = object_store.put(key, b'{"proof": 1}', None)
    try:
        _expect_conflict(bucket, "If-None-Match of a write", lambda: object_store.put(key, b'{"proof": 2}', None))
        _expect_conflict(bucket, "If-Match of a write", lambda: object_store.put(key, b'{"proof": 3}', _OTHER_ETAG))
        etag = object_store.put(key, b'{"proof": 4}', etag)
        _expect_conflict(bucket, "If-Match of a removal", lambda: object_store.delete(key, _OTHER_ETAG))
    except WriteConflict as conflict:
        raise Blocked(
            f"{bucket.address}: the store refuses a write over what it has just said to stand there.",
            "A state cannot be kept in it. Use another store.",
        ) from conflict
    finally:
        bucket.client.delete_object(Bucket=bucket.name, Key=key)


def _expect_conflict(bucket: Bucket, condition: str, write: Callable[[], object]) -> None:
    """Raise Blocked if a write succeeds whose condition does not hold."""
    try:
        write()
    except WriteConflict:
        return
    raise Blocked(
        f"{bucket.address}: the store ignores the {condition}, so that two runs could write over each other.",
        "A state cannot be kept in it. Use S3, or a store that knows conditional writes.",
    )
