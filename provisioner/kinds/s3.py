"""S3: a bucket, and what is set on it by calls of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.members.watch import BUCKET, BUCKET_POLICY, ENCRYPTION, LIFECYCLE, PUBLIC_ACCESS
from provisioner.kinds.object_lock import locks
from provisioner.kinds.objects import empty
from provisioner.kinds.tags import mapping, pairs

# HeadBucket gives the bare status.
NO_BUCKET = codes("NoSuchBucket", "404", "NotFound")
# Two changes at once, or a name given back a moment ago.
_BUSY = codes("OperationAborted")
# A bucket that is seconds old (terraform-provider-aws s3/bucket_policy.go: 1 min).
_YOUNG = _BUSY | NO_BUCKET
_RULES = "LifecycleConfiguration.Rules"


class Bucket(Kind):
    """A bucket; it is emptied before it goes, again and again while somebody still writes."""

    service, key, named, noun = "s3", "Bucket", "Bucket", "logs"
    members = BUCKET
    fixed = frozenset({"Bucket"})
    # Where it is made is told by nothing that is read.
    unread = frozenset({"CreateBucketConfiguration"})
    absent = NO_BUCKET
    duplicate = codes("BucketAlreadyOwnedByYou")
    # Of one object among many S3 may say that it went wrong inside (S3 API reference, DeleteObjects).
    transient = {"create": _BUSY, "delete": _BUSY | codes("BucketNotEmpty", "InternalError")}
    # A balancer may deliver for minutes after it is gone (aws-behaviour: S3 bucket).
    patience = minutes(30)
    resource, fills = "bucket", ("{Bucket}",)
    calls = calling(
        read="HeadBucket GetBucketTagging",
        create="CreateBucket",
        retag="GetBucketTagging PutBucketTagging",
        delete="PutBucketPolicy ListObjectVersions DeleteObjects ListMultipartUploads AbortMultipartUpload "
        "DeleteBucket GetObjectRetention GetObjectLegalHold",
        holders="GetObjectLockConfiguration GetObjectLegalHold GetObjectRetention ListObjectVersions",
    )

    def read(self, s3: Any, it: Item) -> Doc | None:
        """HeadBucket, and its tags; of another account's one HEAD says 403, and no more can be read."""
        bucket = it.props["Bucket"]
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) != "403":
                raise
            return {"Bucket": bucket, "Tags": {}}
        return {"Bucket": bucket, "Tags": _tags(s3, bucket)}

    def create(self, s3: Any, it: Item) -> Doc:
        """CreateBucket, with its tags; private and encrypted is how AWS makes it."""
        where = it.props.get("CreateBucketConfiguration", {})
        made = {"Bucket": it.props["Bucket"], "CreateBucketConfiguration": {**where, "Tags": pairs(it.tags)}}
        s3.create_bucket(**made)
        return dict(it.props)

    def retag(self, s3: Any, it: Item, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """PutBucketTagging replaces all tags; AWS's own have to be among them (cloud-custodian#2861)."""
        theirs = {name: value for name, value in _tags(s3, it.id).items() if name.startswith("aws:")}
        s3.put_bucket_tagging(Bucket=it.id, Tagging={"TagSet": pairs({**theirs, **it.tags})})

    def lost(self, props: Doc) -> str:
        """What was recorded."""
        return f"the records of requests in {props['Bucket']}"

    def delete(self, s3: Any, it: Item) -> None:
        """PutBucketPolicy so that nobody writes any more, DeleteObjects page by page, DeleteBucket."""
        s3.put_bucket_policy(Bucket=it.id, Policy=json.dumps(_closed(it.id)))
        empty(s3, it.id)
        for upload in s3.list_multipart_uploads(Bucket=it.id).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=it.id, Key=upload["Key"], UploadId=upload["UploadId"])
        s3.delete_bucket(Bucket=it.id)

    def holders(self, s3: Any, it: Item) -> list[Holder]:
        """The retention that each object in it is under."""
        return locks(s3, it.id)


def _tags(s3: Any, bucket: str) -> Doc:
    """GetBucketTagging; a bucket without tags answers with an error."""
    try:
        return mapping(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except ClientError as error:
        if code_of(error) != "NoSuchTagSet":
            raise
        return {}


def _closed(bucket: str) -> Doc:
    """Nobody writes any more, and nobody reads without TLS, as before."""
    everybody = {"Effect": "Deny", "Principal": "*"}
    whole = f"arn:aws:s3:::{bucket}"
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    resources = [whole, f"{whole}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Closing", **everybody, "Action": "s3:PutObject", "Resource": f"{whole}/*"},
            {"Sid": "Plain", **everybody, "Action": "s3:*", "Resource": resources, "Condition": plain},
        ],
    }


class _Setting(Kind):
    """What is set on a bucket by one call, and goes with it."""

    service, key = "s3", "Bucket"
    tagged, vanishes = False, True
    within = ("Bucket",)
    fixed = frozenset({"Bucket"})
    transient = {"create": _YOUNG, "update": _YOUNG}
    resource, fills = "bucket", ("{Bucket}",)

    def update(self, s3: Any, it: Item, changed: Doc) -> None:
        """The same call again."""
        self.create(s3, it)

    def delete(self, s3: Any, it: Item) -> None:
        """It goes with its bucket."""


class PublicAccessBlock(_Setting):
    """Nothing in the bucket can be made public."""

    members = PUBLIC_ACCESS
    replaces = {"PutPublicAccessBlock": ""}
    absent = NO_BUCKET | codes("NoSuchPublicAccessBlockConfiguration")

    calls = calling(
        read="GetPublicAccessBlock",
        create="PutPublicAccessBlock",
        update="PutPublicAccessBlock",
    )

    def read(self, s3: Any, it: Item) -> Doc | None:
        """GetPublicAccessBlock."""
        return {**s3.get_public_access_block(Bucket=it.props["Bucket"]), "Bucket": it.props["Bucket"]}

    def create(self, s3: Any, it: Item) -> Doc:
        """PutPublicAccessBlock."""
        s3.put_public_access_block(**it.props)
        return dict(it.props)


class BucketEncryption(_Setting):
    """What is written is encrypted."""

    members = ENCRYPTION
    replaces = {"PutBucketEncryption": ""}
    # A key goes with some algorithms only.
    exact = frozenset({"ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault"})
    absent = NO_BUCKET | codes("ServerSideEncryptionConfigurationNotFoundError")

    calls = calling(
        read="GetBucketEncryption",
        create="PutBucketEncryption",
        update="PutBucketEncryption",
    )

    def read(self, s3: Any, it: Item) -> Doc | None:
        """GetBucketEncryption."""
        return {**s3.get_bucket_encryption(Bucket=it.props["Bucket"]), "Bucket": it.props["Bucket"]}

    def create(self, s3: Any, it: Item) -> Doc:
        """PutBucketEncryption."""
        s3.put_bucket_encryption(**it.props)
        return dict(it.props)


class BucketLifecycle(_Setting):
    """How long the bucket keeps what is in it."""

    members = LIFECYCLE
    replaces = {"PutBucketLifecycleConfiguration": ""}
    # Days or a date, a filter or the older prefix (botocore s3 LifecycleRule).
    exact = frozenset({f"{_RULES}.Expiration", f"{_RULES}.Filter"})
    alternatives = frozenset({f"{_RULES}.Prefix"})
    absent = NO_BUCKET | codes("NoSuchLifecycleConfiguration")

    calls = calling(
        read="GetBucketLifecycleConfiguration",
        create="PutBucketLifecycleConfiguration",
        update="PutBucketLifecycleConfiguration",
    )

    def read(self, s3: Any, it: Item) -> Doc | None:
        """GetBucketLifecycleConfiguration."""
        bucket = it.props["Bucket"]
        told = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        return {**told, "Bucket": bucket, "LifecycleConfiguration": {"Rules": told["Rules"]}}

    def create(self, s3: Any, it: Item) -> Doc:
        """PutBucketLifecycleConfiguration."""
        s3.put_bucket_lifecycle_configuration(**it.props)
        return dict(it.props)


class BucketPolicy(_Setting):
    """Who may write into the bucket, and over which connections."""

    members = BUCKET_POLICY
    whole = frozenset({"Policy"})
    replaces = {"PutBucketPolicy": ""}
    absent = NO_BUCKET | codes("NoSuchBucketPolicy")
    # A principal that is seconds old (terraform-provider-aws s3/bucket_policy.go: 1 min).
    transient = {"create": _YOUNG | codes("MalformedPolicy"), "update": _YOUNG | codes("MalformedPolicy")}

    calls = calling(read="GetBucketPolicy", create="PutBucketPolicy", update="PutBucketPolicy")

    def read(self, s3: Any, it: Item) -> Doc | None:
        """GetBucketPolicy, parsed."""
        bucket = it.props["Bucket"]
        return {"Bucket": bucket, "Policy": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])}

    def create(self, s3: Any, it: Item) -> Doc:
        """PutBucketPolicy."""
        s3.put_bucket_policy(Bucket=it.props["Bucket"], Policy=json.dumps(it.props["Policy"]))
        return dict(it.props)
