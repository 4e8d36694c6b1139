"""CloudWatch Logs deliveries to S3: a new one appends a statement of its own to the bucket's policy.

CloudWatch Logs user guide, AWS-logs-infrastructure-V2-S3: if the caller may change the policy.
"""

from __future__ import annotations

import json
from typing import Any

from provisioner.emulator.answers import Reply
from provisioner.emulator.hooks import strict
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

SID = "AWSLogDeliveryWrite"


@strict.after("logs", "CreateDelivery")
def append(call: Call, _: Reply) -> None:
    """Append the statement to the policies of the S3 buckets that a new delivery writes to."""
    destinations = backend("logs", call.account, call.region).delivery_destinations.values()
    for one in destinations:
        arn = (one.delivery_destination_configuration or {}).get("destinationResourceArn", "")
        if one.arn == call.params["deliveryDestinationArn"] and arn.startswith("arn:aws:s3:::"):
            _append(call, arn.removeprefix("arn:aws:s3:::").split("/")[0])


def _append(call: Call, name: str) -> None:
    """Append the statement to a bucket's policy, unless it has no policy or the statement is there."""
    bucket = backend("s3", call.account, "aws").buckets.get(name)
    if bucket is None or not bucket.policy:
        return
    policy = json.loads(bucket.told_policy)
    if not any(one.get("Sid") == SID for one in policy["Statement"]):
        policy["Statement"].append(_statement(call, name))
        bucket.told_policy = json.dumps(policy)


def _statement(call: Call, name: str) -> dict[str, Any]:
    """Return the policy statement that allows the log delivery service to write."""
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
