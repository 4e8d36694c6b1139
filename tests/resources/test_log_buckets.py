"""A bucket of records at its end: closed, emptied however much is in it, and no refusal is passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources import bucket_objects
from provisioner.resources.s3 import Bucket
from provisioner.service_clients import S3
from tests.support.fake_resources import WholeLists, as_client

PAGE = 1000
IT = ResourceSpec("logs-bucket", "records", "prod", {"Bucket": "records"}, id="records")


class Full(WholeLists):
    """S3 with one bucket, which lists a page at a time; `kept` are the keys that it refuses to delete."""

    def __init__(self, count: int, kept: frozenset[str] = frozenset()) -> None:
        self.keys = [f"alb/{n}" for n in range(count)]
        self.kept = kept
        self.calls: list[str] = []
        self.policy: dict[str, Any] = {}

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        self.calls.append("list_object_versions")
        return {"Versions": [{"Key": key, "VersionId": "null", "Size": 1} for key in self.keys[:PAGE]]}

    def delete_objects(self, **asked: Any) -> dict[str, Any]:
        self.calls.append("delete_objects")
        named = {one["Key"] for one in asked["Delete"]["Objects"]}
        self.keys = [key for key in self.keys if key not in named - self.kept]
        refused = sorted(named & self.kept)
        return {"Errors": [{"Key": key, "Code": "AccessDenied", "Message": "denied"} for key in refused]}

    def list_multipart_uploads(self, **_: Any) -> dict[str, Any]:
        return {"Uploads": [{"Key": "begun", "UploadId": "1"}]}

    def get_object_retention(self, **_: Any) -> dict[str, Any]:
        return {}

    def get_object_legal_hold(self, **_: Any) -> dict[str, Any]:
        return {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(**asked: Any) -> None:
            self.calls.append(name)
            self.policy = json.loads(asked.get("Policy", "null")) or self.policy

        return call


def test_it_is_closed_first_and_emptied_a_page_at_a_time() -> None:
    s3 = Full(2 * PAGE + 1)

    Bucket().delete(as_client(S3, s3), IT)

    assert s3.keys == []
    assert s3.calls[0] == "put_bucket_policy"
    assert s3.calls.count("delete_objects") == 3
    assert s3.calls[-2:] == ["abort_multipart_upload", "delete_bucket"]
    by = {one["Sid"]: one for one in s3.policy["Statement"]}
    assert {one["Effect"] for one in by.values()} == {"Deny"}
    assert by["Closing"]["Action"] == "s3:PutObject"
    assert by["Plain"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_s3_does_not_delete_is_told_and_not_tried_for_ever() -> None:
    s3 = Full(3, kept=frozenset({"alb/1"}))

    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket().delete(as_client(S3, s3), IT)

    assert "delete_bucket" not in s3.calls


@pytest.mark.parametrize(
    ("named", "read"), [({"VersionId": "locked"}, "locked"), ({}, "new"), ({"VersionId": ""}, "new")]
)
def test_the_lock_that_is_told_is_that_of_the_refused_version(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], read: str
) -> None:
    """A key may have a locked version beside one that this call has deleted; an emulator may not name it."""
    asked: list[str] = []

    def locks(_s3: Any, _bucket: str, version: dict[str, Any]) -> list[Any]:
        asked.append(version["VersionId"])
        return []

    class Versioned(Full):
        def list_object_versions(self, **_: Any) -> dict[str, Any]:
            return {"Versions": [{"Key": "a", "VersionId": name, "Size": 1} for name in ("new", "locked")]}

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "denied", **named}]}

    monkeypatch.setattr(bucket_objects, "object_locks", locks)

    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket().delete(as_client(S3, Versioned(0)), IT)
    assert asked == [read]
