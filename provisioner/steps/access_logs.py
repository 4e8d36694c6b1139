"""One bucket for the records of every request: CloudFront's and the balancer's, each under its prefix."""

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
# The one region that CreateBucket refuses to be told.
_UNNAMED = "us-east-1"


@dataclass(frozen=True)
class AccessLogs:
    """The bucket, and the policy without which nobody may write."""

    bucket: Handle
    policy: Handle


def access_logs(up: Piece, s: Settings, facts: Facts) -> AccessLogs | None:
    """Encrypted by S3's own key: a balancer delivers to nothing else."""
    if not s.logs.requests:
        return None
    # A bucket's name is the whole world's: account and region make it ours.
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
        # What was begun and never ended costs, and is listed nowhere.
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
    """The balancer's deliveries, this distribution's, and nothing over a connection without TLS."""
    whole = text("arn:{}:s3:::{}", facts.partition, bucket.id)
    source = arn(
        up, facts, "logs", f"delivery-source:{name_of('records-source', up.stack.suffix)}", GLOBAL_REGION
    )
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
            # ELB user guide, access logs: the regions' own accounts are history.
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
    """CloudFront's records, delivered from us-east-1, whatever the stack's region."""
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
