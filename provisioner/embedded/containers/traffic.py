"""The weights of a listener rule, as ECS sets them in a deployment of its own strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.embedded.containers.model import Service
from provisioner.embedded.inner import do

_WHOLE = 100


def shift(
    service: Service, groups: Mapping[str, str], weight: float, rule: str = "productionListenerRule"
) -> None:
    """Give the groups of a deployment, each by the configured one, `weight` per cent of a rule's requests."""
    for one in service.spec.get("loadBalancers", []):
        told = one.get("advancedConfiguration", {})
        if rule not in told:
            continue
        mine = groups.get(one["targetGroupArn"], one["targetGroupArn"])
        pair = (one["targetGroupArn"], told["alternateTargetGroupArn"])
        share = round(weight)
        weights = [
            {"TargetGroupArn": arn, "Weight": share if arn == mine else _WHOLE - share} for arn in pair
        ]
        _lead(service, told[rule], [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}])


def _lead(service: Service, rule: str, actions: list[dict[str, Any]]) -> None:
    """ModifyRule, or ModifyListener where it is the rule of a listener that asks for nothing."""
    found = do(service.place, "elbv2", "DescribeRules", RuleArns=[rule])["Rules"]
    if found and found[0]["IsDefault"]:
        listener = rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        do(service.place, "elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)
        return
    do(service.place, "elbv2", "ModifyRule", RuleArn=rule, Actions=actions)
