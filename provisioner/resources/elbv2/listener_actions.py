"""Actions and conditions of listeners and rules: their normal forms, their weights in a cutover or set by ECS."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Any

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ecs.traffic_shifts import find_shift_between
from provisioner.resources.elbv2.base import REPLACEMENT_TARGET_KEY
from provisioner.service_clients import ECS, ELBV2

# The member that says in words who sets the weights, if it is not this project.
SHIFTED_BY_KEY = "ShiftedBy"


def normalize_action(action: JsonObject) -> JsonObject:
    """Return an action in its normal form.

    AWS returns a plain forward twice: by its target group, and as a list with one target group.
    """
    plain = {key: value for key, value in action.items() if key not in ("ForwardConfig", "Order")}
    forward = action.get("ForwardConfig") or {}
    targets = [{"Weight": 1, **target} for target in forward.get("TargetGroups") or []]
    sticky = forward.get("TargetGroupStickinessConfig") or {}
    if action["Type"] != "forward" or not targets:
        return plain
    if len(targets) == 1 and targets[0]["Weight"] and not sticky.get("Enabled"):
        return {**plain, "TargetGroupArn": targets[0]["TargetGroupArn"]}
    plain.pop("TargetGroupArn", None)
    config = {
        "TargetGroups": targets,
        "TargetGroupStickinessConfig": {"Enabled": bool(sticky.get("Enabled"))},
    }
    return {**plain, "ForwardConfig": config}


def normalize_condition(condition: JsonObject) -> JsonObject:
    """Return a condition in its normal form.

    AWS returns its values twice: plainly, and in the config structure of the field.
    """
    configs = [inner for key, inner in condition.items() if key.endswith("Config")]

    def given(key: str) -> Any:
        # A value that is not known yet, or is a secret, takes the place of the whole list.
        return next((each[key] for each in (condition, *configs) if each.get(key)), [])

    header = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")
    values, patterns = given("Values"), given("RegexValues")
    return {"Field": condition["Field"], "Header": header, "Values": values, "RegexValues": patterns}


def target_group_weights(actions: Sequence[JsonObject]) -> dict[str, int]:
    """Return the weights of a forward action by target group ARN; {} if the action is no forward."""
    if len(actions) != 1 or actions[0]["Type"] != "forward":
        return {}
    groups = (actions[0].get("ForwardConfig") or {}).get("TargetGroups") or [actions[0]]
    return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}


def with_traffic_shift(
    elbv2: ELBV2,
    spec: ResourceSpec,
    actual: JsonObject,
    weights: Mapping[str, int],
    declared_groups: Iterable[str],
    listener_rules: Collection[JsonObject] = (),
) -> JsonObject:
    """Return a listener or rule with two more members if ECS decides where it forwards to.

    `ShiftedBy` says who sets the weights. `StandsIn` maps the declared target group to the group that gets the
    requests now. ECS is asked only if the listener or rule, or another rule of the listener, forwards to other
    groups than declared.

    Args:
        elbv2: The client of Elastic Load Balancing; a client of ECS is made from it.
        spec: The declared listener or rule.
        actual: Its actual state.
        weights: The weights of the groups that it forwards to, by ARN.
        declared_groups: The groups that it is declared to forward to.
        listener_rules: All rules of the listener. The production rule of ECS shows which group serves.

    """
    groups, declared = frozenset(weights), frozenset(declared_groups)
    if not declared or groups | _groups_sharing_a_rule(listener_rules, declared) <= declared:
        return actual
    default_rule = next((rule["RuleArn"] for rule in listener_rules if rule["IsDefault"]), "")
    arn = str(actual.get("RuleArn") or default_rule)
    shift = find_shift_between(sibling_client(elbv2, ECS), spec.suffix, groups)
    if shift is None:
        return actual
    production = next((rule for rule in listener_rules if rule["RuleArn"] in shift.rules[:1]), None)
    # A forward to a single group was set by hand, and ECS may have shifted on since.
    production_weights = weights if len(weights) > 1 else {}
    if production:
        production_weights = target_group_weights(production["Actions"])
    serving_group = max(production_weights, key=production_weights.__getitem__, default="")
    marked = {**actual, REPLACEMENT_TARGET_KEY: {shift.own_group: serving_group}} if serving_group else actual
    # A rule that somebody set to follow ECS's rule is left alone too, unless ECS's rule has moved on since.
    is_current = not serving_group or arn in shift.rules or bool(weights.get(serving_group))
    return {**marked, SHIFTED_BY_KEY: shift.description} if shift.controls(arn, groups) and is_current else marked


def _groups_sharing_a_rule(rules: Iterable[JsonObject], groups: Set[str]) -> frozenset[str]:
    """Return all target groups of the rules that forward to at least one of `groups`."""
    forwards = (target_group_weights(rule["Actions"]).keys() for rule in rules)
    return frozenset(group for rule_groups in forwards if rule_groups & groups for group in rule_groups)


def actions_at(phase: CutoverPhase, desired: list[JsonObject], actual: list[JsonObject]) -> list[JsonObject]:
    """Return the forward action of a phase of a cutover from the actual target groups to the desired ones.

    It forwards to all of them, first with weight 0 for the new groups, from SHIFT on with weight 0 for the old
    ones, and from DROP on to the new groups alone.
    """
    new_weights, actual_weights = target_group_weights(desired), target_group_weights(actual)
    if (
        phase >= CutoverPhase.DROP
        or not new_weights
        or not actual_weights
        or new_weights.keys() == actual_weights.keys()
    ):
        return desired
    weights = (
        dict.fromkeys(actual_weights, 0) | new_weights
        if phase >= CutoverPhase.SHIFT
        else dict.fromkeys(new_weights, 0) | actual_weights
    )
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def actions_with_deposed(desired: list[JsonObject], deposed: Mapping[str, str]) -> list[JsonObject]:
    """Return a forward that still sends requests to the deposed target groups, as in the phase JOIN.

    `deposed` maps a new target group to the deposed one that it replaces.
    """
    deposed_groups = [deposed[new_group] for new_group in groups_with_weight(desired) if new_group in deposed]
    return actions_at(
        CutoverPhase.JOIN, desired, [{"Type": "forward", "TargetGroupArn": group} for group in deposed_groups]
    )


def groups_with_weight(actions: list[JsonObject]) -> list[str]:
    """Return the target groups that get any weight in a forward action; none if it is no forward."""
    return [arn for arn, weight in target_group_weights(actions).items() if weight]
