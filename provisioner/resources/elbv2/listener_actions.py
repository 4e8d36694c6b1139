"""Actions and conditions of rules in one form each, and forwards whose weights ECS sets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from provisioner.engine.calls.clients import sibling_client
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ecs.deployment_strategies import find_shift_between
from provisioner.resources.elbv2.base import REPLACEMENT_TARGET_KEY


def normalize_action(action: JsonObject) -> JsonObject:
    """Return an action in its normal form.

    AWS returns a plain forward twice: by its target group, and as a list with one target group.
    """
    plain = {key: value for key, value in action.items() if key not in ("ForwardConfig", "Order")}
    forward = action.get("ForwardConfig") or {}
    targets = [{"Weight": 1, **one} for one in forward.get("TargetGroups") or []]
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

    def told(key: str) -> Any:
        # A value that is not known yet, or is a secret, takes the place of the whole list.
        return next((one[key] for one in (condition, *configs) if one.get(key)), [])

    header = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")
    values, patterns = told("Values"), told("RegexValues")
    return {"Field": condition["Field"], "Header": header, "Values": values, "RegexValues": patterns}


def target_group_weights(actions: list[JsonObject]) -> dict[str, int]:
    """Return the weights of a forward action by target group ARN; {} if the action is no forward."""
    if len(actions) != 1 or actions[0]["Type"] != "forward":
        return {}
    listed = (actions[0].get("ForwardConfig") or {}).get("TargetGroups") or [actions[0]]
    return {one["TargetGroupArn"]: one.get("Weight", 1) for one in listed}


# The member that says in words who sets the weights, if it is not this project.
SHIFTED_BY_KEY = "ShiftedBy"


def with_traffic_shift(
    elbv2: Any,
    spec: ResourceSpec,
    actual: JsonObject,
    told: Mapping[str, int],
    declared_groups: Iterable[str],
    listener_rules: Collection[JsonObject] = (),
) -> JsonObject:
    """Return a listener or rule, marked if ECS decides where it forwards to.

    `ShiftedBy` says who decides. `StandsIn` maps the declared target group to the one that serves now. ECS is
    asked only if the listener or rule, or a rule beside it, forwards to other groups than declared.

    Args:
        elbv2: The client of Elastic Load Balancing; a client of ECS is made from it.
        spec: The declared listener or rule.
        actual: Its actual state.
        told: The weights of the groups that it forwards to, by ARN.
        declared_groups: The groups that it is declared to forward to.
        listener_rules: All rules of the listener. The production rule of ECS shows which group serves.

    """
    groups, mine = frozenset(told), frozenset(declared_groups)
    if not mine or groups | _groups_sharing_a_rule(listener_rules, mine) <= mine:
        return actual
    default = (one["RuleArn"] for one in listener_rules if one["IsDefault"])
    arn = str(actual.get("RuleArn") or next(default, ""))
    shift = find_shift_between(sibling_client(elbv2, "ecs"), spec.suffix, groups)
    if shift is None:
        return actual
    production = next((one for one in listener_rules if one["RuleArn"] in shift.rules[:1]), None)
    # A forward to a single group was set by hand, and ECS may have shifted on since.
    production_weights = target_group_weights(production["Actions"]) if production else told if len(told) > 1 else {}
    serves = max(production_weights, key=production_weights.__getitem__, default="")
    marked = {**actual, REPLACEMENT_TARGET_KEY: {shift.own_group: serves}} if serves else actual
    # A rule that somebody set to follow ECS's rule is left alone too, unless ECS's rule has moved on since.
    is_after = not serves or arn in shift.rules or bool(told.get(serves))
    return {**marked, SHIFTED_BY_KEY: shift.description} if shift.controls(arn, groups) and is_after else marked


def _groups_sharing_a_rule(rules: Iterable[JsonObject], mine: Set[str]) -> frozenset[str]:
    """Return all groups of the rules that forward to at least one of the groups in `mine`."""
    forwards = (target_group_weights(one["Actions"]).keys() for one in rules)
    return frozenset(group for groups in forwards if groups & mine for group in groups)


def actions_at(phase: CutoverPhase, desired: list[JsonObject], actual: list[JsonObject]) -> list[JsonObject]:
    """Return a forward to both groups: the new one at weight 0, then with all the weight, then alone."""
    new, had = target_group_weights(desired), target_group_weights(actual)
    if phase >= CutoverPhase.DROP or not new or not had or new.keys() == had.keys():
        return desired
    weights = dict.fromkeys(had, 0) | new if phase >= CutoverPhase.SHIFT else dict.fromkeys(new, 0) | had
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def actions_with_deposed(desired: list[JsonObject], deposed: Mapping[str, str]) -> list[JsonObject]:
    """Return a forward as it is in the phase JOIN, by `deposed`: the old group of each new one."""
    olds = [deposed[group] for group in groups_with_weight(desired) if group in deposed]
    return actions_at(CutoverPhase.JOIN, desired, [{"Type": "forward", "TargetGroupArn": old} for old in olds])


def groups_with_weight(actions: list[JsonObject]) -> list[str]:
    """Return the target groups that get any weight in a forward action; none if it is no forward."""
    return [arn for arn, weight in target_group_weights(actions).items() if weight]
