"""The bucket for request logs of CloudFront and the load balancer, each under a prefix of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.refs import text
from provisioner.kinds.deliveries import Delivery, DeliveryDestination, DeliverySource
from provisioner.kinds.s3 import Bucket, BucketEncryption, BucketLifecycle, BucketPolicy, PublicAccessBlock
from provisioner.kinds.tagging import GLOBAL_REGION
from provisioner.names import name_of
from provisioner.settings import Settings
from provisioner.steps.arns import arn
from provisioner.steps.facts import Facts

BALANCER, EDGE = "alb", "cloudfront"
# CreateBucket refuses this region as a LocationConstraint.
_UNNAMED = "us-east-1"


@dataclass(frozen=True)
class AccessLogs:
    """The log bucket, and the bucket policy without which no service may write to it."""

    bucket: Handle
    policy: Handle


def access_logs(up: Piece, s: Settings, facts: Facts) -> AccessLogs | None:
    """Declare the log bucket, or return None if request logs are off.

    It is encrypted with S3's own key, because a load balancer delivers to no bucket with another encryption.
    """
    if not s.logs.requests:
        return None
    # Bucket names are global: account and region make this one unique.
    name = text("{}-{}-{}", name_of("logs", up.stack.suffix), facts.account, up.stack.region)
    where = {} if up.stack.region == _UNNAMED else {"LocationConstraint": up.stack.region}
    bucket = up(Bucket, "logs-bucket", Bucket=name, CreateBucketConfiguration=where)
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    up(
        PublicAccessBlock,
        "logs-bucket-private",
        Bucket=bucket.id,
        PublicAccessBlockConfiguration=dict.fromkeys(closed, True),
    )
    by_s3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    up(
        BucketEncryption,
        "logs-bucket-encrypted",
        Bucket=bucket.id,
        ServerSideEncryptionConfiguration={"Rules": [by_s3]},
    )
    expiry = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": s.logs.days},
        # Parts of an unfinished upload cost money and are not listed.
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    up(
        BucketLifecycle,
        "logs-bucket-expiry",
        Bucket=bucket.id,
        LifecycleConfiguration={"Rules": [expiry]},
    )
    policy = {"Version": "2012-10-17", "Statement": _statements(up, facts, bucket)}
    return AccessLogs(bucket, up(BucketPolicy, "logs-bucket-policy", Bucket=bucket.id, Policy=policy))


def _statements(up: Piece, facts: Facts, bucket: Handle) -> list[dict[str, Any]]:
    """Return the bucket policy: the two services may write to their prefixes, and nobody may without TLS."""
    whole = text("arn:{}:s3:::{}", facts.partition, bucket.id)
    source = arn(up, facts, "logs", f"delivery-source:{name_of('records-source', up.stack.suffix)}", GLOBAL_REGION)
    ours = {"aws:SourceAccount": facts.account}
    return [
        {
            "Sid": "NoPlainConnections",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [whole, text("{}/*", whole)],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            # ELB user guide, access logs: the older form, with an account of AWS's per region, is not needed.
            "Sid": "Balancer",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": text("{}/{}/AWSLogs/{}/*", whole, BALANCER, facts.account),
        },
        {
            # CloudFront developer guide, standard logging v2.
            "Sid": "Edge",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": text("{}/{}/*", whole, EDGE),
            "Condition": {
                "StringEquals": {**ours, "s3:x-amz-acl": "bucket-owner-full-control"},
                "ArnLike": {"aws:SourceArn": source},
            },
        },
    ]


def edge_records(up: Piece, facts: Facts, into: AccessLogs, distribution: Handle) -> None:
    """Declare the delivery of CloudFront's request logs, which is in us-east-1 for every stack."""
    source = up(
        DeliverySource,
        "records-source",
        region=GLOBAL_REGION,
        resourceArn=distribution["ARN"],
        logType="ACCESS_LOGS",
    )
    destination = up(
        DeliveryDestination,
        "records-destination",
        region=GLOBAL_REGION,
        outputFormat="json",
        deliveryDestinationConfiguration={
            "destinationResourceArn": text("arn:{}:s3:::{}/{}", facts.partition, into.bucket.id, EDGE)
        },
        after=[into.policy],
    )
    up(
        Delivery,
        "records-delivery",
        region=GLOBAL_REGION,
        deliverySourceName=source.id,
        deliveryDestinationArn=destination["arn"],
        after=[into.policy],
    )
