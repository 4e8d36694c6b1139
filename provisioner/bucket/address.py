"""The address of a team's state, `s3://bucket/prefix`, and the way to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws import Aws
from provisioner.bucket.calls import patiently
from provisioner.bucket.shelf import BucketShelf
from provisioner.embedded.local import Local
from provisioner.endpoints import foreign
from provisioner.errors import UsageError
from provisioner.regions import choose_region
from state.archive import ShelfArchive

SCHEME = "s3://"
# docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
# An answer that takes longer is not waited for: the lease must be renewed in time.
_ANSWER_WITHIN = 8


@dataclass(frozen=True)
class Bucket:
    """One bucket, and the prefix under which the state is; found in its own region."""

    name: str
    prefix: str
    aws: Aws

    @classmethod
    def at(cls, address: str, local: Local | None, region: str | None = None, endpoint: str = "") -> Bucket:
        """The bucket of an address; UsageError where it is none. Makes no call.

        `region` is where it would be made; where it is there, it is found wherever it is. `endpoint` is the
        store's URL, where it is not the one that the stack's own calls to S3 go to.
        """
        name, _, prefix = address.removeprefix(SCHEME).partition("/")
        prefix = prefix.strip("/")
        if not _BUCKET.fullmatch(name) or "//" in prefix:
            raise UsageError(
                f"{address} is no address of a state in S3.", "Write it as --state s3://bucket/prefix."
            )
        if endpoint and not _URL.fullmatch(endpoint):
            raise UsageError(
                f"{endpoint} is no endpoint of a store.",
                "For example: --state-endpoint https://minio.example:9000",
            )
        chosen = choose_region(region, local=local is not None).name
        aws = Aws(chosen, local, _ANSWER_WITHIN, endpoint or None)
        return cls(name, f"{prefix}/" if prefix else "", aws)

    @property
    def address(self) -> str:
        """What --state is given."""
        return f"{SCHEME}{self.name}/{self.prefix}".rstrip("/")

    @cached_property
    def region(self) -> str | None:
        """Where it is; None where there is no such bucket."""
        client = self.aws.client("s3")
        head = patiently(lambda: _head(client, self.name), f"looking for the bucket {self.name}")
        return None if head is None else str(head or self.aws.region)

    @property
    def endpoint(self) -> str:
        """The store's URL; "" for Amazon's own, and for the local AWS."""
        return "" if self.aws.local else foreign(str(self.aws.client("s3").meta.endpoint_url))

    @property
    def client(self) -> Any:
        """The client of its region; of the user's own where the bucket is not there."""
        return self.aws.client("s3", self.region or "")

    @property
    def archive(self) -> ShelfArchive:
        """The state that is kept in it."""
        shelf = BucketShelf(lambda: self.client, self.name, self._renewed)
        return ShelfArchive(shelf, f"{SCHEME}{self.name}/", self.prefix)

    def _renewed(self, stale: Any) -> Any:
        return self.aws.renew(stale, "s3", self.region or "")


def _head(client: Any, bucket: str) -> str | None:
    """The bucket's region as S3 tells it, also to those whom it refuses; None where there is none.

    HeadBucket answers with bare codes, and names the region in a header of every answer.
    """
    try:
        answer = client.head_bucket(Bucket=bucket)["ResponseMetadata"]
    except ClientError as error:
        answer = error.response["ResponseMetadata"]
        if answer["HTTPStatusCode"] == 404:  # noqa: PLR2004 - HTTP's own number
            return None
        if "x-amz-bucket-region" not in answer["HTTPHeaders"]:
            raise
    return str(answer["HTTPHeaders"].get("x-amz-bucket-region", ""))
