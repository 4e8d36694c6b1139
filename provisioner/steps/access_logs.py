"""The bucket for request logs of CloudFront and the load balancer, each under a prefix of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import interpolate
from provisioner.names import name_of
from provisioner.resources.deliveries import Delivery, DeliveryDestination, DeliverySource
from provisioner.resources.s3 import Bucket, BucketEncryption, BucketLifecycle, BucketPolicy, PublicAccessBlock
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.lookups import StackLookups

BALANCER_PREFIX, EDGE_PREFIX = "alb", "cloudfront"
# CreateBucket refuses this region as a LocationConstraint.
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class AccessLogs:
    """The log bucket, and the bucket policy without which no service may write to it."""

    bucket: ResourceHandle
    policy: ResourceHandle


def declare_access_logs(step: Step, settings: Settings, lookups: StackLookups) -> AccessLogs | None:
    """Declare the log bucket, or return None if request logs are off.

    It is encrypted with S3's own key, because a load balancer delivers to no bucket with another encryption.
    """
    if not settings.logs.requests:
        return None
    # Bucket names are global: account and region make this one unique.
    name = interpolate("{}-{}-{}", name_of("logs", step.stack.suffix), lookups.account, step.stack.region)
    location = {} if step.stack.region == _DEFAULT_REGION else {"LocationConstraint": step.stack.region}
    bucket = step(Bucket, "logs-bucket", Bucket=name, CreateBucketConfiguration=location)
    block_options = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    step(
        PublicAccessBlock,
        "logs-bucket-private",
        Bucket=bucket.id,
        PublicAccessBlockConfiguration=dict.fromkeys(block_options, True),
    )
    encryption_rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    step(
        BucketEncryption,
        "logs-bucket-encrypted",
        Bucket=bucket.id,
        ServerSideEncryptionConfiguration={"Rules": [encryption_rule]},
    )
    expiry = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": settings.logs.days},
        # Parts of an unfinished upload cost money and are not listed.
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    step(BucketLifecycle, "logs-bucket-expiry", Bucket=bucket.id, LifecycleConfiguration={"Rules": [expiry]})
    policy = {"Version": "2012-10-17", "Statement": _policy_statements(step, lookups, bucket)}
    return AccessLogs(bucket, step(BucketPolicy, "logs-bucket-policy", Bucket=bucket.id, Policy=policy))


def _policy_statements(step: Step, lookups: StackLookups, bucket: ResourceHandle) -> list[dict[str, Any]]:
    """Return the bucket policy: the two services may write to their prefixes, and nobody may without TLS."""
    bucket_arn = interpolate("arn:{}:s3:::{}", lookups.partition, bucket.id)
    source = arn(
        step, lookups, "logs", f"delivery-source:{name_of('records-source', step.stack.suffix)}", GLOBAL_REGION
    )
    from_account = {"aws:SourceAccount": lookups.account}
    return [
        {
            "Sid": "NoPlainConnections",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, interpolate("{}/*", bucket_arn)],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            # ELB user guide, access logs: the older form, with an account of AWS's per region, is not needed.
            "Sid": "Balancer",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": interpolate("{}/{}/AWSLogs/{}/*", bucket_arn, BALANCER_PREFIX, lookups.account),
        },
        {
            # CloudFront developer guide, standard logging v2.
            "Sid": "Edge",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": interpolate("{}/{}/*", bucket_arn, EDGE_PREFIX),
            "Condition": {
                "StringEquals": {**from_account, "s3:x-amz-acl": "bucket-owner-full-control"},
                "ArnLike": {"aws:SourceArn": source},
            },
        },
    ]


def declare_edge_log_delivery(
    step: Step, lookups: StackLookups, logs: AccessLogs, distribution: ResourceHandle
) -> None:
    """Declare the delivery of CloudFront's request logs, which is in us-east-1 for every stack."""
    source = step(
        DeliverySource, "records-source", region=GLOBAL_REGION, resourceArn=distribution["ARN"], logType="ACCESS_LOGS"
    )
    destination = step(
        DeliveryDestination,
        "records-destination",
        region=GLOBAL_REGION,
        outputFormat="json",
        deliveryDestinationConfiguration={
            "destinationResourceArn": interpolate("arn:{}:s3:::{}/{}", lookups.partition, logs.bucket.id, EDGE_PREFIX)
        },
        depends_on=[logs.policy],
    )
    step(
        Delivery,
        "records-delivery",
        region=GLOBAL_REGION,
        deliverySourceName=source.id,
        deliveryDestinationArn=destination["arn"],
        depends_on=[logs.policy],
    )
