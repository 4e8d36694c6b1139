"""S3: a new bucket is private, encrypted, and has its tags; a Deny holds under its condition only."""

from __future__ import annotations

import json

from provisioner.embedded.answers import Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend, do
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


@always.after("s3", "PutBucketPolicy")
def decreed(call: Call, _: Reply) -> None:
    """Keep from moto what it would deny to all: it reads no conditions, and loopback stands for TLS here."""
    bucket = backend("s3", call.account, "aws").buckets[call.params["Bucket"]]
    policy = json.loads(bucket.policy)
    enforced = [one for one in policy["Statement"] if one["Effect"] == "Allow" or "Condition" not in one]
    bucket.told_policy = bucket.policy.decode()
    bucket.policy = json.dumps({**policy, "Statement": enforced}).encode()


@always.after("s3", "GetBucketPolicy")
def told(call: Call, reply: Reply) -> None:
    """Tell all of it."""
    reply["Policy"] = backend("s3", call.account, "aws").buckets[call.params["Bucket"]].told_policy
