"""The WAF web ACL in front of CloudFront, and its log."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.names import name_of
from provisioner.resources.logs import LogGroup, Retention
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.resources.wafv2 import SCOPE, WebACL, WebACLLog
from provisioner.settings import Settings
from provisioner.settings.small_sections import RuleAction
from provisioner.steps.account import arn
from provisioner.steps.keys import Keys
from provisioner.steps.lookups import StackLookups

_WINDOW_SECONDS = 300  # Seconds over which the requests of an address are counted.
# How much of a body AWS inspects without a charge in front of CloudFront (WAF developer guide, body
# inspection).
_BODY_LIMIT = "KB_16"


def declare_firewall(step: Step, settings: Settings, lookups: StackLookups, keys: Keys) -> ResourceHandle | None:
    """Declare the web ACL, or return None if the firewall is off."""
    if not settings.waf.enabled:
        return None
    acl = step(
        WebACL,
        "waf",
        region=GLOBAL_REGION,
        Scope=SCOPE,
        DefaultAction={"Allow": {}},
        Rules=_rules(settings),
        VisibilityConfig=_visibility(name_of("webacl", step.stack.suffix)),
        AssociationConfig={"RequestBody": {SCOPE: {"DefaultSizeInspectionLimit": _BODY_LIMIT}}},
    )
    if settings.waf.logs:
        _declare_log(step, settings, lookups, acl, keys)
    return acl


def _declare_log(step: Step, settings: Settings, lookups: StackLookups, acl: ResourceHandle, keys: Keys) -> None:
    """Declare the firewall's log, in which cookies and the Authorization header are redacted."""
    encryption = keys.log_group_encryption(GLOBAL_REGION)
    group = step(LogGroup, "waf-logs", noun="waf-logs", region=GLOBAL_REGION, **encryption)
    step(
        Retention, "waf-logs-retention", region=GLOBAL_REGION, logGroupName=group.id, retentionInDays=settings.logs.days
    )
    step(
        WebACLLog,
        "waf-log",
        region=GLOBAL_REGION,
        ResourceArn=acl.id,
        LogDestinationConfigs=[arn(step, lookups, "logs", f"log-group:{group.aws_name}", GLOBAL_REGION)],
        RedactedFields=[{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie")],
        depends_on=[group],
    )


def _rules(settings: Settings) -> list[dict[str, Any]]:
    """Return the rules that are not off, in the order of their priorities."""
    waf = settings.waf
    rules = [
        _rate_rule(waf.rate, waf.rate_limit),
        _managed_rule("reputation", "AWSManagedRulesAmazonIpReputationList", waf.reputation),
        _managed_rule("common", "AWSManagedRulesCommonRuleSet", waf.common, SizeRestrictions_BODY=waf.body_size),
        _managed_rule("bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet", waf.bad_inputs),
    ]
    return [{**rule, "Priority": priority} for priority, rule in enumerate(rules) if rule]


def _rate_rule(action: RuleAction, limit: int) -> dict[str, Any]:
    """Return the rule that counts requests per address; {} if it is off."""
    if action == "off":
        return {}
    statement = {"Limit": limit, "EvaluationWindowSec": _WINDOW_SECONDS, "AggregateKeyType": "IP"}
    return {
        "Name": "rate",
        "Statement": {"RateBasedStatement": statement},
        "Action": {action.capitalize(): {}},
        "VisibilityConfig": _rule_visibility("rate"),
    }


def _managed_rule(name: str, group: str, action: RuleAction, **rule_actions: RuleAction) -> dict[str, Any]:
    """Return a rule for a rule group managed by AWS; {} if it is off.

    `rule_actions` sets rules of the group by name: one that is set to "count" only counts.
    """
    if action == "off":
        return {}
    overrides = [
        {"Name": rule, "ActionToUse": {"Count": {}}}
        for rule, rule_action in rule_actions.items()
        if rule_action == "count"
    ]
    statement: dict[str, Any] = {"VendorName": "AWS", "Name": group}
    if overrides:
        statement["RuleActionOverrides"] = overrides
    return {
        "Name": name,
        "Statement": {"ManagedRuleGroupStatement": statement},
        "OverrideAction": {"None" if action == "block" else "Count": {}},
        "VisibilityConfig": _rule_visibility(name),
    }


def _rule_visibility(name: str) -> dict[str, Any]:
    """Return the visibility configuration of a rule."""
    return _visibility(f"ml-api-{name}")


def _visibility(metric: str) -> dict[str, Any]:
    """Return the visibility configuration with the name of a metric.

    The web ACL's metric has the web ACL's own name, which is the dimension that tells two stacks apart.
    """
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": metric}
