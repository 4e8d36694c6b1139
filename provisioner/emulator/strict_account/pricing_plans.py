"""A CloudFront flat-rate pricing plan: every new distribution has one, and cannot be deleted before it ends.

Messages: ekristen/aws-nuke#1024, cloud-custodian/cloud-custodian#10477. Shapes: botocore 1.44.5,
pricing-plan-manager.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always, strict
from provisioner.emulator.moto_bridge import ask_moto
from provisioner.emulator.patches.cloudfront_distributions import distributions
from provisioner.emulator.wire import AccountRegion, Call

SERVICE = "pricing-plan-manager"
# Billed monthly; a cancellation takes effect at the end of the month (botocore, CancelSubscription).
PERIOD = 30 * 86_400.0
_REGION = "us-east-1"
_subscriptions: AccountStore[dict[str, Any]] = AccountStore()


@strict.after("cloudfront", "CreateDistribution", "CreateDistributionWithTags")
def subscribe(call: Call, reply: Reply) -> None:
    """Subscribe a new distribution to a plan, and give it a web ACL, which every plan requires."""
    distribution = reply["Distribution"]
    if not (acl := distribution["DistributionConfig"].get("WebACLId")):
        acl = distribution["DistributionConfig"]["WebACLId"] = _create_web_acl(call, distribution["Id"])
    arn = f"arn:aws:pricingplanmanager::{call.account}:subscription:{uuid4()}"
    created_at = datetime.fromtimestamp(clock.now(), UTC)
    _current_subscriptions(call)[distribution["Id"]] = {
        "arn": arn,
        "planFamily": "CloudFront",
        "planTier": "PRO",
        "status": "ACTIVE",
        "resourceArns": [distribution["ARN"], acl],
        "createdAt": created_at,
        "updatedAt": created_at,
        "eTag": uuid4().hex,
    }


def _create_web_acl(call: Call, distribution: str) -> str:
    """Create the web ACL that CloudFront creates for its protections (AWS WAF developer guide)."""
    name = f"CreatedByCloudFront-{uuid4().hex[:8]}"
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    web_acl = ask_moto(
        AccountRegion(call.account, _REGION),
        "wafv2",
        "CreateWebACL",
        Name=name,
        Scope="CLOUDFRONT",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visibility,
    )
    arn = str(web_acl["Summary"]["ARN"])
    distributions(call)[distribution].distribution_config.WebACLId = arn
    return arn


@strict.before("cloudfront", "DeleteDistribution")
def refuse_delete(call: Call) -> None:
    """Refuse to delete a subscribed distribution.

    Raises:
        AwsError: PreconditionFailed.

    """
    if call.params["Id"] in _current_subscriptions(call):
        raise AwsError(
            "PreconditionFailed",
            "You can't delete this distribution while it's subscribed to a pricing plan. Cancel the pricing "
            "plan, then you can delete the distribution.",
            412,
        )


@strict.before("cloudfront", "UpdateDistribution")
def refuse_without_web_acl(call: Call) -> None:
    """Refuse to remove or replace the web ACL of a subscribed distribution.

    Raises:
        AwsError: InvalidArgument.

    """
    plan = _current_subscriptions(call).get(call.params["Id"])
    config = call.params["DistributionConfig"]
    if plan and config.get("WebACLId") not in plan["resourceArns"]:
        raise AwsError(
            "InvalidArgument",
            "You can't remove or replace the web ACL for your distribution. Distributions with a pricing "
            "plan subscription must have a web ACL resource.",
        )


@always.before(SERVICE, "ListSubscriptions")
def list_subscriptions(call: Call) -> Reply:
    """Return all subscriptions of the account."""
    return {"subscriptionSummaries": list(_current_subscriptions(call).values())}


@always.before(SERVICE, "CancelSubscription")
def cancel_subscription(call: Call) -> Reply:
    """Schedule the end of a subscription for the end of its billing period.

    Raises:
        AwsError: ResourceNotFoundException.

    """
    plan = next((each for each in _current_subscriptions(call).values() if each["arn"] == call.params["arn"]), None)
    if plan is None:
        raise AwsError("ResourceNotFoundException", "The subscription does not exist.", 404)
    end = plan["createdAt"].timestamp() + PERIOD
    plan["scheduledChange"] = {"changeType": "CANCELLATION", "effectiveDate": datetime.fromtimestamp(end, UTC)}
    return {"subscription": {key: value for key, value in plan.items() if key != "eTag"}, "eTag": plan["eTag"]}


def _current_subscriptions(call: Call) -> dict[str, dict[str, Any]]:
    """Return the account's subscriptions by distribution id, after removing those that have ended."""
    subscriptions = _subscriptions.at(call.account, _REGION)
    for id_, plan in list(subscriptions.items()):
        change = plan.get("scheduledChange")
        if change and change["effectiveDate"].timestamp() <= clock.now():
            del subscriptions[id_]
    return subscriptions
