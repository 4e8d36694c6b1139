"""S3: a new bucket is private, encrypted, and has the tags it was made with."""

from __future__ import annotations

from provisioner.embedded.answers import Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import do
from provisioner.embedded.wire import Call

CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@always.after("s3", "CreateBucket")
def created(call: Call, _: Reply) -> None:
    """Shut and encrypt it: AWS doc, default settings for new buckets (since January and April 2023)."""
    bucket = call.params["Bucket"]
    shut = dict.fromkeys(CLOSED, True)
    do(call, "s3", "PutPublicAccessBlock", Bucket=bucket, PublicAccessBlockConfiguration=shut)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = {"Rules": [rule | {"BucketKeyEnabled": False}]}
    do(call, "s3", "PutBucketEncryption", Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    if tags := call.params.get("CreateBucketConfiguration", {}).get("Tags"):
        do(call, "s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": tags})
