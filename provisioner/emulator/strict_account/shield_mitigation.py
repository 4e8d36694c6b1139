"""Shield Advanced: it puts a rule of its own into each web ACL of a distribution.

hashicorp/terraform-provider-aws#22869, #31670; AWS WAF developer guide, ddos-automatic-app-layer-response-rg.
"""

from __future__ import annotations

from uuid import uuid4

from moto.wafv2.models import FakeRule, FakeWebACL

from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import strict
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

NAME = "ShieldMitigationRuleGroup"
# AWS's own account that owns these rule groups.
_SHIELD = "153427709519"
_LAST = 10_000_000


@strict.after("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
def mitigate(call: Call, reply: Reply) -> None:
    """Put the rule into the web ACL of a distribution, unless it is there."""
    lists = backend("wafv2", call.account, "aws").wacls
    acl = lists.get(reply["Distribution"]["DistributionConfig"].get("WebACLId"))
    if acl is not None and not any(rule.name.startswith(NAME) for rule in acl.rules):
        put_rule(acl)


def put_rule(acl: FakeWebACL) -> None:
    """Put a new rule into a web ACL in place of an earlier one; this changes the web ACL's lock token."""
    name = f"{NAME}_{acl.account}_{acl.id}_{uuid4()}"
    group = f"arn:aws:wafv2:us-east-1:{_SHIELD}:global/rulegroup/{name}/{uuid4()}"
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    rule = FakeRule(
        name=name,
        priority=_LAST,
        statement={"RuleGroupReferenceStatement": {"ARN": group}},
        visibility_config=visibility,
        override_action={"None": {}},
    )
    acl.rules = [*(each for each in acl.rules if not each.name.startswith(NAME)), rule]
    acl.lock_token = str(uuid4())
