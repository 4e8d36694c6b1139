"""An organisation that decides how logs are kept: their days, their protection, the statement of a delivery."""

from __future__ import annotations

import json
from typing import Any

from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import strict
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.log_policies import TYPE, RetentionPolicy, set_retention
from provisioner.emulator.patches.logs import protect
from provisioner.emulator.wire import Call

# It exists before the stack does.
POLICY = RetentionPolicy("organisation-log-retention", 90)


@strict.after("logs", "DescribeLogGroups")
def show_retention(call: Call, reply: Reply) -> None:
    """Show the organisation's retention on log groups, unless the account's own policy keeps logs longer."""
    set_retention(call, reply, [POLICY])


@strict.after("logs", "DescribeAccountPolicies")
def list_policy(call: Call, reply: Reply) -> None:
    """Add the organisation's policy to the account's own."""
    if call.params["policyType"] == TYPE and call.params.get("policyName") in (None, POLICY.name):
        reply["accountPolicies"].append(POLICY.describe(call.account))


@strict.after("logs", "CreateLogGroup")
def protect_new(call: Call, _: Reply) -> None:
    """Turn on the deletion protection of a new log group."""
    protect(call, call.params["logGroupName"], on=True)


SID = "AWSLogDeliveryWrite"


@strict.after("logs", "CreateDelivery")
def append_statement(call: Call, _: Reply) -> None:
    """Append the statement to the policies of the S3 buckets that a new delivery writes to."""
    destinations = backend("logs", call.account, call.region).delivery_destinations.values()
    for destination in destinations:
        arn = (destination.delivery_destination_configuration or {}).get("destinationResourceArn", "")
        if destination.arn == call.params["deliveryDestinationArn"] and arn.startswith("arn:aws:s3:::"):
            _append_to_bucket(call, arn.removeprefix("arn:aws:s3:::").split("/")[0])


def _append_to_bucket(call: Call, name: str) -> None:
    """Append the statement to a bucket's policy, unless it has no policy or the statement is there."""
    bucket = backend("s3", call.account, "aws").buckets.get(name)
    if bucket is None or not bucket.policy:
        return
    policy = json.loads(bucket.whole_policy)
    if not any(statement.get("Sid") == SID for statement in policy["Statement"]):
        policy["Statement"].append(_statement(call, name))
        bucket.whole_policy = json.dumps(policy)


def _statement(call: Call, name: str) -> dict[str, Any]:
    """Return the policy statement that allows the log delivery service to write."""
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/AWSLogs/{call.account}/*",
        "Condition": {
            "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": [call.account]},
            "ArnLike": {"aws:SourceArn": [f"arn:aws:logs:{call.region}:{call.account}:*"]},
        },
    }
