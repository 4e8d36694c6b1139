"""The weights of a listener rule, as ECS sets them in its own deployment strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.emulator.ecs.model import Service
from provisioner.emulator.moto_bridge import ask_moto

_WHOLE = 100


def shift(service: Service, groups: Mapping[str, str], weight: float, rule: str = "productionListenerRule") -> None:
    """Give a deployment's target groups `weight` per cent of a rule's requests, the other groups the rest.

    `groups` has the group that the deployment uses, by the configured group; `rule` names the field of the
    service's load balancer configuration that holds the rule.
    """
    for one in service.spec.get("loadBalancers", []):
        told = one.get("advancedConfiguration", {})
        if rule not in told:
            continue
        mine = groups.get(one["targetGroupArn"], one["targetGroupArn"])
        pair = (one["targetGroupArn"], told["alternateTargetGroupArn"])
        share = round(weight)
        weights = [{"TargetGroupArn": arn, "Weight": share if arn == mine else _WHOLE - share} for arn in pair]
        _lead(service, told[rule], [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}])


def _lead(service: Service, rule: str, actions: list[dict[str, Any]]) -> None:
    """Set the actions of a listener rule, by ModifyListener if it is the default rule of a listener."""
    found = ask_moto(service.place, "elbv2", "DescribeRules", RuleArns=[rule])["Rules"]
    if found and found[0]["IsDefault"]:
        listener = rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        ask_moto(service.place, "elbv2", "ModifyListener", ListenerArn=listener, DefaultActions=actions)
        return
    ask_moto(service.place, "elbv2", "ModifyRule", RuleArn=rule, Actions=actions)
