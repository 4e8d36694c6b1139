"""S3: new buckets are private and encrypted, system tags stay, conditional Denies are not enforced."""

from __future__ import annotations

import json
from datetime import datetime

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@always.after("s3", "CreateBucket")
def secure_new_bucket(call: Call, _: Reply) -> None:
    """Block public access to a new bucket, encrypt it, and set its tags.

    Source: AWS doc, default settings for new buckets (since January and April 2023).
    """
    bucket = call.params["Bucket"]
    shut = dict.fromkeys(CLOSED, True)
    ask_moto(call, "s3", "PutPublicAccessBlock", Bucket=bucket, PublicAccessBlockConfiguration=shut)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = {"Rules": [rule | {"BucketKeyEnabled": False}]}
    ask_moto(call, "s3", "PutBucketEncryption", Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    if tags := call.params.get("CreateBucketConfiguration", {}).get("Tags"):
        ask_moto(call, "s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": tags})


# By bucket: the tags that an AWS service set; nobody else can add, change or remove them.
system_tags: AccountStore[dict[str, str]] = AccountStore()


@always.before("s3", "PutBucketTagging")
def keep_system_tags(call: Call) -> Reply | None:
    """Refuse tags that do not repeat the bucket's system tags as they are (cloud-custodian#2834, #2861)."""
    bucket = call.params["Bucket"]
    own_tags = system_tags.at(call.account, "").get(bucket, {})
    sent = {tag["Key"]: tag["Value"] for tag in call.params["Tagging"]["TagSet"]}
    if {name: value for name, value in sent.items() if name in own_tags} != own_tags:
        raise AwsError("InvalidTag", "System tags cannot be removed by requester")
    if not own_tags:
        return None
    others = [tag for tag in call.params["Tagging"]["TagSet"] if tag["Key"] not in own_tags]
    return ask_moto(call, "s3", "PutBucketTagging", Bucket=bucket, Tagging={"TagSet": others})


@always.after("s3", "GetBucketTagging")
def add_system_tags(call: Call, reply: Reply) -> None:
    """Add the bucket's system tags to the reply."""
    own_tags = system_tags.at(call.account, "").get(call.params["Bucket"], {})
    reply["TagSet"] = [*reply["TagSet"], *({"Key": name, "Value": own_tags[name]} for name in own_tags)]


@always.after("s3", "PutBucketPolicy")
def hide_conditional_denies(call: Call, _: Reply) -> None:
    """Withhold the conditional Deny statements of a bucket policy from moto, which ignores conditions.

    Moto would deny every call by them. Here, a call over loopback counts as a call over TLS.
    """
    bucket = backend("s3", call.account, "aws").buckets[call.params["Bucket"]]
    policy = json.loads(bucket.policy)
    element = policy["Statement"]
    statements = [element] if isinstance(element, dict) else element
    enforced = [statement for statement in statements if statement["Effect"] == "Allow" or "Condition" not in statement]
    bucket.whole_policy = bucket.policy.decode()
    bucket.policy = json.dumps({**policy, "Statement": enforced}).encode()


@always.before("s3", "GetObjectRetention")
def show_retention(call: Call) -> Reply:
    """Answer until when an object version is locked, which moto keeps but does not return.

    Source: S3 API reference.
    """
    params = call.params
    s3 = backend("s3", call.account, "aws")
    key = s3.get_object(params["Bucket"], params["Key"], version_id=params.get("VersionId"))
    if key is None:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
    if not key.lock_until:
        message = "The specified object does not have a ObjectLock configuration"
        raise AwsError("NoSuchObjectLockConfiguration", message, 404)
    until = datetime.fromisoformat(key.lock_until)
    return {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": until}}


@always.after("s3", "GetBucketPolicy")
def show_whole_policy(call: Call, reply: Reply) -> None:
    """Put the whole bucket policy into the reply, with the statements that moto does not see."""
    reply["Policy"] = backend("s3", call.account, "aws").buckets[call.params["Bucket"]].whole_policy
