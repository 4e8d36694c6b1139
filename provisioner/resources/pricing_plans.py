"""CloudFront flat-rate pricing plans: AWS deletes no distribution before its plan has ended."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.calls.error_categories import TRANSIENT, ErrorCategory, categorize, code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker, Refusal
from provisioner.service_clients import CloudFront, PricingPlanManager

# The only region with this API (botocore 1.44.5, endpoints of pricing-plan-manager).
_REGION = "us-east-1"
CALLS = {"pricing-plan-manager": ("ListSubscriptions",)}
# The code, and a phrase of the message, of CloudFront's refusal (ekristen/aws-nuke#1024,
# cloud-custodian/cloud-custodian#10477).
_REFUSAL_CODE, _PLAN_PHRASE = "PreconditionFailed", "pricing plan"
_PLAN_UNKNOWN = Blocker(
    "a flat-rate pricing plan, if it is under one: AWS denied ListSubscriptions",
    temporary=True,
    remedy="CloudFront's console shows the plan, and cancels it",
    uncertain=True,
)
# The blocker to report where CloudFront refused because of a plan, and ListSubscriptions did not show it.
_UNLISTED_PLAN = Blocker(
    "a flat-rate pricing plan",
    temporary=False,
    remedy="cancel it in CloudFront's console (ListSubscriptions of pricing-plan-manager, which tells its "
    "ARN and its end, was refused)",
    deferred=True,
)


def read_plans(cloudfront: CloudFront, arn: str) -> list[Blocker]:
    """Return the plan of a distribution as a blocker that says when it ends, or how to cancel it.

    If AWS denied ListSubscriptions, return an uncertain blocker. Temporary errors are raised; any other
    refusal counts as no plan.
    """
    client = sibling_client(cloudfront, PricingPlanManager, _REGION)
    try:
        subscriptions = client.list_subscriptions()["subscriptionSummaries"]
    except (ClientError, BotoCoreError) as error:
        if (category := categorize(error)) in TRANSIENT:
            raise
        return [_PLAN_UNKNOWN] if category is ErrorCategory.DENIED else []
    return [_plan_blocker(plan) for plan in subscriptions if arn in plan.get("resourceArns", [])]


def plans_that_block_deletion(cloudfront: CloudFront, arn: str, error: ClientError) -> list[Blocker]:
    """Return the plan because of which CloudFront refused to delete a distribution; none for other refusals.

    CloudFront uses the same code for an out-of-date ETag. A plan is the reason if ListSubscriptions shows
    one, or if the message names one.
    """
    if code_of(error) != _REFUSAL_CODE:
        return []
    plans = [plan for plan in read_plans(cloudfront, arn) if not plan.uncertain]
    return plans or ([_UNLISTED_PLAN] if _PLAN_PHRASE in str(error) else [])


def acl_refusal(plan: Blocker) -> Refusal:
    """Return why CloudFront refuses to change the distribution's web ACL, and what to do about it."""
    return Refusal(
        f"it is under {plan.description}: CloudFront neither takes the web ACL off such a distribution nor puts "
        "another in its place",
        f"Set `waf.enabled` back to what it was; or end the plan first: {plan.remedy}.",
        plan.uncertain,
    )


def is_plan_refusal(error: ClientError) -> bool:
    """Return whether CloudFront refused to change the web ACL because of a plan.

    Code and message: cloud-custodian/cloud-custodian#10477.
    """
    return code_of(error) == "InvalidArgument" and _PLAN_PHRASE in str(error)


def plan_behind_refusal(cloudfront: CloudFront, arn: str) -> Blocker:
    """Return the plan of a distribution after CloudFront itself has refused a call because of a plan."""
    return next((plan for plan in read_plans(cloudfront, arn) if not plan.uncertain), _UNLISTED_PLAN)


def _plan_blocker(plan: JsonObject) -> Blocker:
    """Return a plan as a blocker; its remedy says when its cancellation takes effect, or how to cancel."""
    description = f"a flat-rate pricing plan ({plan.get('planFamily', 'CloudFront')} {plan.get('planTier', '')})"
    change = plan.get("scheduledChange") or {}
    if change.get("changeType") == "CANCELLATION":
        end_time = change.get("effectiveDate")
        when = f"from {end_time:%Y-%m-%d %H:%M} UTC on" if end_time else "once AWS has named the day of its end"
        remedy = f"its cancellation is scheduled: run the same command again {when}"
        return Blocker(description, temporary=False, remedy=remedy, deferred=True)
    arn, tag = plan["arn"], plan.get("eTag", "")
    command = f"aws pricing-plan-manager cancel-subscription --arn {arn} --if-match {tag} --region {_REGION}"
    remedy = f"`{command}` ends it with the month that is billed"
    return Blocker(description, temporary=False, remedy=remedy, deferred=True)
