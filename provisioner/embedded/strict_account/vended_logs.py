"""CloudWatch Logs: where a delivery to a bucket begins, its own statement is appended to the bucket's policy.

CloudWatch Logs user guide, AWS-logs-infrastructure-V2-S3: where whoever asks may change the policy.
"""

from __future__ import annotations

import json
from typing import Any

from provisioner.embedded.answers import Reply
from provisioner.embedded.hooks import strict
from provisioner.embedded.inner import backend
from provisioner.embedded.wire import Call

SID = "AWSLogDeliveryWrite"


@strict.after("logs", "CreateDelivery")
def append(call: Call, _: Reply) -> None:
    """Append it, unless it is there."""
    destinations = backend("logs", call.account, call.region).delivery_destinations.values()
    for one in destinations:
        arn = (one.delivery_destination_configuration or {}).get("destinationResourceArn", "")
        if one.arn == call.params["deliveryDestinationArn"] and arn.startswith("arn:aws:s3:::"):
            _append(call, arn.removeprefix("arn:aws:s3:::").split("/")[0])


def _append(call: Call, name: str) -> None:
    bucket = backend("s3", call.account, "aws").buckets.get(name)
    if bucket is None or not bucket.policy:
        return
    policy = json.loads(bucket.told_policy)
    if not any(one.get("Sid") == SID for one in policy["Statement"]):
        policy["Statement"].append(_statement(call, name))
        bucket.told_policy = json.dumps(policy)


def _statement(call: Call, name: str) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/AWSLogs/{call.account}/*",
        "Condition": {
            "StringEquals": {
                "s3:x-amz-acl": "bucket-owner-full-control",
                "aws:SourceAccount": [call.account],
            },
            "ArnLike": {"aws:SourceArn": [f"arn:aws:logs:{call.region}:{call.account}:*"]},
        },
    }
