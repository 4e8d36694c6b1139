"""The WAF web ACL in front of CloudFront, and its log."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.names import name_of
from provisioner.resources.logs import LogGroup, Retention
from provisioner.resources.tagging import GLOBAL_REGION
from provisioner.resources.wafv2 import SCOPE, WebACL, WebACLLog
from provisioner.settings import Settings
from provisioner.settings.small_sections import Act
from provisioner.steps.account import arn
from provisioner.steps.keys import Keys
from provisioner.steps.lookups import StackLookups

_WINDOW = 300  # Seconds over which the requests of an address are counted.
# How much of a body AWS inspects without a charge in front of CloudFront (WAF developer guide, body
# inspection).
_INSPECTED = "KB_16"


def firewall(step: Step, settings: Settings, lookups: StackLookups, keys: Keys) -> ResourceHandle | None:
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
        VisibilityConfig=_visible(name_of("webacl", step.stack.suffix)),
        AssociationConfig={"RequestBody": {SCOPE: {"DefaultSizeInspectionLimit": _INSPECTED}}},
    )
    if settings.waf.logs:
        _log(step, settings, lookups, acl, keys)
    return acl


def _log(step: Step, settings: Settings, lookups: StackLookups, acl: ResourceHandle, keys: Keys) -> None:
    """Declare the firewall's log, in which cookies and the Authorization header are redacted."""
    under = keys.group(GLOBAL_REGION)
    group = step(LogGroup, "waf-logs", noun="waf-logs", region=GLOBAL_REGION, **under)
    step(
        Retention,
        "waf-logs-retention",
        region=GLOBAL_REGION,
        logGroupName=group.id,
        retentionInDays=settings.logs.days,
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
    waf = settings.waf
    listed = [
        _rate(waf.rate, waf.rate_limit),
        _managed("reputation", "AWSManagedRulesAmazonIpReputationList", waf.reputation),
        _managed("common", "AWSManagedRulesCommonRuleSet", waf.common, SizeRestrictions_BODY=waf.body_size),
        _managed("bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet", waf.bad_inputs),
    ]
    return [{**rule, "Priority": place} for place, rule in enumerate(listed) if rule]


def _rate(act: Act, limit: int) -> dict[str, Any]:
    if act == "off":
        return {}
    statement = {"Limit": limit, "EvaluationWindowSec": _WINDOW, "AggregateKeyType": "IP"}
    return {
        "Name": "rate",
        "Statement": {"RateBasedStatement": statement},
        "Action": {act.capitalize(): {}},
        "VisibilityConfig": _measured("rate"),
    }


def _managed(name: str, group: str, act: Act, **single: Act) -> dict[str, Any]:
    """Return a rule for a rule group managed by AWS; {} if it is off.

    `single` sets rules of the group by name: one that is set to "count" only counts.
    """
    if act == "off":
        return {}
    softened = [{"Name": rule, "ActionToUse": {"Count": {}}} for rule, other in single.items() if other == "count"]
    statement: dict[str, Any] = {"VendorName": "AWS", "Name": group}
    if softened:
        statement["RuleActionOverrides"] = softened
    return {
        "Name": name,
        "Statement": {"ManagedRuleGroupStatement": statement},
        "OverrideAction": {"None" if act == "block" else "Count": {}},
        "VisibilityConfig": _measured(name),
    }


def _measured(name: str) -> dict[str, Any]:
    return _visible(f"ml-api-{name}")


def _visible(metric: str) -> dict[str, Any]:
    """Return the visibility configuration with the name of a metric.

    The web ACL's metric has the web ACL's own name, which is the dimension that tells two stacks apart.
    """
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": metric}
