"""S3: a bucket, and the settings of a bucket that need calls of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE, Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.bucket_objects import delete_all_objects, lock_blockers
from provisioner.resources.field_owners.s3_and_monitoring import (
    BUCKET,
    BUCKET_POLICY,
    ENCRYPTION,
    LIFECYCLE,
    PUBLIC_ACCESS,
)
from provisioner.resources.tags import mapping, pairs
from provisioner.service_clients import S3

# HeadBucket returns only the HTTP status.
BUCKET_NOT_FOUND = codes("NoSuchBucket", "404", "NotFound")
# Two changes at once, or the name of a bucket that was just deleted.
_BUSY = codes("OperationAborted")
# A bucket that was just created (terraform-provider-aws s3/bucket_policy.go: 1 min).
_NOT_VISIBLE_YET = _BUSY | BUCKET_NOT_FOUND
_RULES = "LifecycleConfiguration.Rules"


class Bucket(ResourceType):
    """A bucket; it is emptied before its deletion, repeatedly while objects are still being written."""

    service, id_paths, name_property, noun = "s3", "Bucket", "Bucket", "logs"
    # With `-<account>-<region>` appended, a bucket's name may have 63 characters.
    max_name_length = 35
    pricing = Pricing(by_use="buckets")
    ownership = BUCKET
    immutable = frozenset({"Bucket"})
    # No read returns the location that it was created with.
    write_only = frozenset({"CreateBucketConfiguration"})
    not_found_codes = BUCKET_NOT_FOUND
    already_exists_codes = codes("BucketAlreadyOwnedByYou")
    # S3 may report an internal error for one object of many (S3 API reference, DeleteObjects).
    retryable_codes = {"create": _BUSY, "delete": _BUSY | codes("BucketNotEmpty", "InternalError")}
    # A load balancer may write logs for minutes after its deletion.
    timeout = minutes(30)
    iam_type, arn_properties = "bucket", ("{Bucket}",)
    operations = declare_operations(
        read="HeadBucket GetBucketTagging",
        create="CreateBucket",
        retag="GetBucketTagging PutBucketTagging",
        delete="PutBucketPolicy ListObjectVersions DeleteObjects ListMultipartUploads AbortMultipartUpload "
        "DeleteBucket GetObjectRetention GetObjectLegalHold",
        blockers="GetObjectLockConfiguration GetObjectLegalHold GetObjectRetention ListObjectVersions",
    )

    def read(self, s3: S3, spec: ResourceSpec) -> JsonObject | None:
        """Read the bucket with HeadBucket, and its tags.

        HeadBucket answers 403 for a bucket of another account: it is returned without tags.
        """
        bucket = spec.props["Bucket"]
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) != "403":
                raise
            return {"Bucket": bucket, "Tags": {}}
        return {"Bucket": bucket, "Tags": _read_bucket_tags(s3, bucket)}

    def create(self, s3: S3, spec: ResourceSpec) -> JsonObject:
        """Create the bucket with its tags; AWS makes it private and encrypted by default."""
        location = spec.props.get("CreateBucketConfiguration", {})
        request = {"Bucket": spec.props["Bucket"], "CreateBucketConfiguration": {**location, "Tags": pairs(spec.tags)}}
        s3.create_bucket(**request)
        return dict(spec.props)

    def retag(self, s3: S3, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Replace all tags with PutBucketTagging, AWS's own tags included (cloud-custodian#2861)."""
        aws_tags = {name: value for name, value in _read_bucket_tags(s3, spec.id).items() if name.startswith("aws:")}
        s3.put_bucket_tagging(Bucket=spec.id, Tagging={"TagSet": pairs({**aws_tags, **spec.tags})})

    def data_loss(self, props: JsonObject) -> str:
        """Return what a deletion loses: the access logs in the bucket."""
        return f"the records of requests in {props['Bucket']}"

    def delete(self, s3: S3, spec: ResourceSpec) -> None:
        """Forbid all writes, delete the objects and unfinished uploads, then delete the bucket."""
        s3.put_bucket_policy(Bucket=spec.id, Policy=json.dumps(_no_writes_policy(spec.id)))
        delete_all_objects(s3, spec.id)
        for upload in s3.list_multipart_uploads(Bucket=spec.id).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=spec.id, Key=upload["Key"], UploadId=upload["UploadId"])
        s3.delete_bucket(Bucket=spec.id)

    def blockers(self, s3: S3, spec: ResourceSpec) -> list[Blocker]:
        """Return the Object Lock retentions and legal holds in the bucket."""
        return lock_blockers(s3, spec.id)


def _read_bucket_tags(s3: S3, bucket: str) -> JsonObject:
    """Return the bucket's tags; S3 answers with an error for a bucket without tags."""
    try:
        return mapping(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        return {}


def _no_writes_policy(bucket: str) -> JsonObject:
    """Return a bucket policy that forbids all writes, and, as before, all requests without TLS."""
    deny_everybody = {"Effect": "Deny", "Principal": "*"}
    bucket_arn = f"arn:aws:s3:::{bucket}"
    without_tls = {"Bool": {"aws:SecureTransport": "false"}}
    resources = [bucket_arn, f"{bucket_arn}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Closing", **deny_everybody, "Action": "s3:PutObject", "Resource": f"{bucket_arn}/*"},
            {"Sid": "Plain", **deny_everybody, "Action": "s3:*", "Resource": resources, "Condition": without_tls},
        ],
    }


class _BucketSetting(ResourceType):
    """A setting of a bucket that is set by one call and is deleted with the bucket."""

    service, id_paths = "s3", "Bucket"
    pricing = FREE
    tagged, deleted_with_parent = False, True
    lookup_properties, container_property = ("Bucket",), "Bucket"
    immutable = frozenset({"Bucket"})
    retryable_codes = {"create": _NOT_VISIBLE_YET, "update": _NOT_VISIBLE_YET}
    iam_type, arn_properties = "bucket", ("{Bucket}",)

    def update(self, s3: S3, spec: ResourceSpec, changed: JsonObject) -> None:
        """Repeat the call that creates the setting."""
        self.create(s3, spec)

    def delete(self, s3: S3, spec: ResourceSpec) -> None:
        """Do nothing: S3 deletes the setting with its bucket."""


class PublicAccessBlock(_BucketSetting):
    """The setting that keeps everything in a bucket from being made public."""

    ownership = PUBLIC_ACCESS
    replacing_calls = {"PutPublicAccessBlock": ""}
    not_found_codes = BUCKET_NOT_FOUND | codes("NoSuchPublicAccessBlockConfiguration")

    operations = declare_operations(
        read="GetPublicAccessBlock", create="PutPublicAccessBlock", update="PutPublicAccessBlock"
    )

    def read(self, s3: S3, spec: ResourceSpec) -> JsonObject | None:
        """Read the setting with GetPublicAccessBlock."""
        return {**s3.get_public_access_block(Bucket=spec.props["Bucket"]), "Bucket": spec.props["Bucket"]}

    def create(self, s3: S3, spec: ResourceSpec) -> JsonObject:
        """Set it with PutPublicAccessBlock."""
        s3.put_public_access_block(**spec.props)
        return dict(spec.props)


class BucketEncryption(_BucketSetting):
    """The default encryption of a bucket's objects."""

    ownership = ENCRYPTION
    replacing_calls = {"PutBucketEncryption": ""}
    # Only some algorithms can have a key.
    sent_as_stated = frozenset({"ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault"})
    not_found_codes = BUCKET_NOT_FOUND | codes("ServerSideEncryptionConfigurationNotFoundError")

    operations = declare_operations(
        read="GetBucketEncryption", create="PutBucketEncryption", update="PutBucketEncryption"
    )

    def read(self, s3: S3, spec: ResourceSpec) -> JsonObject | None:
        """Read the encryption with GetBucketEncryption."""
        return {**s3.get_bucket_encryption(Bucket=spec.props["Bucket"]), "Bucket": spec.props["Bucket"]}

    def create(self, s3: S3, spec: ResourceSpec) -> JsonObject:
        """Set the encryption with PutBucketEncryption."""
        s3.put_bucket_encryption(**spec.props)
        return dict(spec.props)


class BucketLifecycle(_BucketSetting):
    """The lifecycle rules of a bucket: how long it keeps its objects."""

    ownership = LIFECYCLE
    replacing_calls = {"PutBucketLifecycleConfiguration": ""}
    # A rule has days or a date, and a filter or the older prefix (botocore s3 LifecycleRule).
    sent_as_stated = frozenset({f"{_RULES}.Expiration", f"{_RULES}.Filter"})
    alternatives = frozenset({f"{_RULES}.Prefix"})
    not_found_codes = BUCKET_NOT_FOUND | codes("NoSuchLifecycleConfiguration")

    operations = declare_operations(
        read="GetBucketLifecycleConfiguration",
        create="PutBucketLifecycleConfiguration",
        update="PutBucketLifecycleConfiguration",
    )

    def read(self, s3: S3, spec: ResourceSpec) -> JsonObject | None:
        """Read the rules with GetBucketLifecycleConfiguration."""
        bucket = spec.props["Bucket"]
        reply = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        return {**reply, "Bucket": bucket, "LifecycleConfiguration": {"Rules": reply["Rules"]}}

    def create(self, s3: S3, spec: ResourceSpec) -> JsonObject:
        """Set the rules with PutBucketLifecycleConfiguration."""
        s3.put_bucket_lifecycle_configuration(**spec.props)
        return dict(spec.props)


class BucketPolicy(_BucketSetting):
    """The policy of a bucket: who may write to it, and that requests need TLS."""

    ownership = BUCKET_POLICY
    exclusive = frozenset({"Policy"})
    replacing_calls = {"PutBucketPolicy": ""}
    not_found_codes = BUCKET_NOT_FOUND | codes("NoSuchBucketPolicy")
    # A principal that was just created (terraform-provider-aws s3/bucket_policy.go: 1 min).
    retryable_codes = {
        "create": _NOT_VISIBLE_YET | codes("MalformedPolicy"),
        "update": _NOT_VISIBLE_YET | codes("MalformedPolicy"),
    }

    operations = declare_operations(read="GetBucketPolicy", create="PutBucketPolicy", update="PutBucketPolicy")

    def read(self, s3: S3, spec: ResourceSpec) -> JsonObject | None:
        """Read the policy with GetBucketPolicy, its JSON parsed."""
        bucket = spec.props["Bucket"]
        return {"Bucket": bucket, "Policy": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])}

    def create(self, s3: S3, spec: ResourceSpec) -> JsonObject:
        """Set the policy with PutBucketPolicy."""
        s3.put_bucket_policy(Bucket=spec.props["Bucket"], Policy=json.dumps(spec.props["Policy"]))
        return dict(spec.props)
