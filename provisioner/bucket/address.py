"""The address of a team's state, `s3://bucket/prefix`, and the connection to its bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from provisioner.aws.connection import AwsConnection
from provisioner.aws.endpoints import custom_endpoint
from provisioner.aws.regions import choose_region
from provisioner.bucket.calls import call_with_retries
from provisioner.bucket.missing_bucket import missing_bucket_error
from provisioner.bucket.s3_object_store import S3ObjectStore
from provisioner.emulator.local import RunningEmulator
from provisioner.errors import UsageError
from state.backend import S3Backend

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

SCHEME = "s3://"
# docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){1,61}[a-z0-9]")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
# The limit in seconds for an answer: the lease must be renewed in time.
ANSWER_TIMEOUT_SECONDS = 8


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the prefix of the states in it; it is called in its own region."""

    name: str
    prefix: str
    aws: AwsConnection

    @classmethod
    def parse(
        cls, address: str, emulator: RunningEmulator | None, region: str | None = None, endpoint: str = ""
    ) -> Bucket:
        """Return the bucket of an address; makes no call.

        Args:
            address: `s3://bucket/prefix`, with or without a prefix.
            emulator: The emulator, if the bucket is in local AWS.
            region: Where the bucket would be created; an existing one is found wherever it is.
            endpoint: The store's URL, if the stack's own calls to S3 go elsewhere.

        Raises:
            UsageError: The address is not one of a bucket, or the endpoint is not a URL.

        """
        name, _, prefix = address.removeprefix(SCHEME).partition("/")
        prefix = prefix.strip("/")
        if not _BUCKET.fullmatch(name) or "//" in prefix:
            raise UsageError(f"{address} is no address of a state in S3.", "Write it as --state s3://bucket/prefix.")
        if endpoint and not _URL.fullmatch(endpoint):
            raise UsageError(
                f"{endpoint} is no endpoint of a store.",
                "For example: --state-endpoint https://minio.example:9000",
            )
        region_name = choose_region(region, local=emulator is not None).name
        connection = AwsConnection(region_name, emulator, ANSWER_TIMEOUT_SECONDS, endpoint or None)
        return cls(name, f"{prefix}/" if prefix else "", connection)

    @property
    def address(self) -> str:
        """The address as `--state` takes it."""
        return f"{SCHEME}{self.name}/{self.prefix}".rstrip("/")

    @cached_property
    def region(self) -> str | None:
        """The region of the bucket; None if the bucket does not exist."""
        client = self.aws.client("s3")
        bucket_region = call_with_retries(
            lambda: _read_bucket_region(client, self.name), f"looking for the bucket {self.name}"
        )
        return None if bucket_region is None else str(bucket_region or self.aws.region)

    @property
    def endpoint(self) -> str:
        """The store's URL; "" for Amazon's own, and for local AWS."""
        return "" if self.aws.local else custom_endpoint(str(self.aws.client("s3").meta.endpoint_url))

    @property
    def client(self) -> S3Client:
        """The S3 client of the bucket's region; of the user's region if the bucket does not exist."""
        return self.aws.client("s3", self.region or "")

    @property
    def backend(self) -> S3Backend:
        """The backend of the states in this bucket."""
        object_store = S3ObjectStore(
            lambda: self.client, self.name, self._renew_client, partial(missing_bucket_error, self)
        )
        return S3Backend(object_store, f"{SCHEME}{self.name}/", self.prefix)

    def _renew_client(self, stale: Any) -> Any:
        """Return a client of the bucket with new credentials."""
        return self.aws.renew_client(stale, "s3", self.region or "")


def _read_bucket_region(s3: S3Client, bucket: str) -> str | None:
    """Return the bucket's region, which S3 also tells callers without access; None if it does not exist.

    HeadBucket answers with bare status codes, and every answer names the region in a header. The result is ""
    if a store names none.
    """
    try:
        answer = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]
    except ClientError as error:
        answer = error.response["ResponseMetadata"]
        if answer["HTTPStatusCode"] == 404:  # noqa: PLR2004 - HTTP's own number
            return None
        if "x-amz-bucket-region" not in answer["HTTPHeaders"]:
            raise
    return str(answer["HTTPHeaders"].get("x-amz-bucket-region", ""))
