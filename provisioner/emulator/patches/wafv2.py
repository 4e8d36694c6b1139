"""WAFv2: AWS's code for a taken name, the region of CloudFront's scope, capacities, and sampled requests."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

# AWS doc, AWS managed rule groups list; a rate rule costs 2.
CAPACITY = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesLinuxRuleSet": 200,
}

# Samples of matched requests by web ACL and the rule's metric; AWS keeps them for three hours.
samples: AccountStore[list[dict[str, Any]]] = AccountStore()
_KEPT = 3 * 3600


@always.before("wafv2", "*")
def refuse_wrong_region(call: Call) -> None:
    """Refuse the scope CLOUDFRONT outside us-east-1 (botocore ServiceModel, Scope)."""
    if call.params.get("Scope") == "CLOUDFRONT" and call.region != "us-east-1":
        raise AwsError(
            "WAFInvalidParameterException",
            "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT",
        )


@always.refused("wafv2", "CreateWebACL")
def correct_taken_code(_: Call, error: AwsError) -> None:
    """Give moto's error for a taken name AWS's code (botocore ServiceModel)."""
    if error.code == "WafV2DuplicateItem":
        raise AwsError("WAFDuplicateItemException", error.message)


@always.after("wafv2", "UpdateWebACL")
def remove_missing_rules(call: Call, _: Reply) -> None:
    """Remove all rules if none are sent: an update replaces them all.

    Source: botocore ServiceModel, UpdateWebACL.
    """
    if call.params.get("Rules"):
        return
    for acl in backend("wafv2", call.account, "aws").wacls.values():
        if acl.id == call.params["Id"]:
            acl.rules = []


@always.before("wafv2", "CheckCapacity")
def check_capacity(call: Call) -> Reply | None:
    """Add up the capacity that rules cost."""
    return {"Capacity": sum(_cost(rule["Statement"]) for rule in call.params["Rules"])}


def _cost(statement: dict[str, Any]) -> int:
    """Return the capacity that the statement of a rule costs."""
    managed = statement.get("ManagedRuleGroupStatement", {})
    if managed:
        return CAPACITY.get(managed["Name"], 50)
    if "ShieldMitigationRuleGroup" in statement.get("RuleGroupReferenceStatement", {}).get("ARN", ""):
        return 150  # AWS WAF developer guide, ddos-automatic-app-layer-response-rg
    return 2 if "RateBasedStatement" in statement else 10


@always.after("wafv2", "GetWebACL")
def add_capacity(_: Call, reply: Reply) -> None:
    """Add the capacity that the web ACL's rules cost."""
    acl = reply["WebACL"]
    acl["Capacity"] = sum(_cost(rule["Statement"]) for rule in acl.get("Rules", []))


@always.before("wafv2", "GetSampledRequests")
def get_samples(call: Call) -> Reply:
    """Return samples of the requests that a rule matched (botocore ServiceModel, GetSampledRequests)."""
    params = call.params
    start, end = (params["TimeWindow"][side] for side in ("StartTime", "EndTime"))
    if clock.now() - start.replace(tzinfo=UTC).timestamp() > _KEPT:
        raise AwsError("WAFInvalidParameterException", "The time window is not within the past three hours.")
    requests = samples.of(call).get(f"{params['WebAclArn']}/{params['RuleMetricName']}", [])
    chosen = requests[: params["MaxItems"]]
    window = {"StartTime": start, "EndTime": end}
    return {"SampledRequests": chosen, "PopulationSize": len(requests), "TimeWindow": window}
