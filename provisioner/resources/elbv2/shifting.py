"""Listeners and rules whose weights ECS sets during its deployments: marked, so that they are left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from provisioner.engine.calls.clients import beside
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ecs.strategies import shift_between
from provisioner.resources.elbv2.forms import weights_of
from provisioner.resources.elbv2.tagged import STANDS_IN

# The member that says in words who sets the weights, if it is not this project.
SHIFTED_BY = "ShiftedBy"


def with_shift(
    elbv2: Any,
    spec: ResourceSpec,
    actual: JsonObject,
    told: Mapping[str, int],
    ours: Iterable[str],
    rules: Collection[JsonObject] = (),
) -> JsonObject:
    """Return a listener or rule, marked if ECS decides where it forwards to.

    `ShiftedBy` says who decides. `StandsIn` maps the declared target group to the one that serves now. ECS is
    asked only if the listener or rule, or a rule beside it, forwards to other groups than declared.

    Args:
        elbv2: The client of Elastic Load Balancing; a client of ECS is made from it.
        spec: The declared listener or rule.
        actual: Its actual state.
        told: The weights of the groups that it forwards to, by ARN.
        ours: The groups that it is declared to forward to.
        rules: All rules of the listener. The production rule of ECS shows which group serves.

    """
    groups, mine = frozenset(told), frozenset(ours)
    if not mine or groups | _beside(rules, mine) <= mine:
        return actual
    default = (one["RuleArn"] for one in rules if one["IsDefault"])
    arn = str(actual.get("RuleArn") or next(default, ""))
    shift = shift_between(beside(elbv2, "ecs"), spec.suffix, groups)
    if shift is None:
        return actual
    production = next((one for one in rules if one["RuleArn"] in shift.rules[:1]), None)
    # A forward to a single group was set by hand, and ECS may have shifted on since.
    weights = weights_of(production["Actions"]) if production else told if len(told) > 1 else {}
    serves = max(weights, key=weights.__getitem__, default="")
    marked = {**actual, STANDS_IN: {shift.own: serves}} if serves else actual
    # A rule that somebody set to follow ECS's rule is left alone too, unless ECS's rule has moved on since.
    is_after = not serves or arn in shift.rules or bool(told.get(serves))
    return {**marked, SHIFTED_BY: shift.words} if shift.leads(arn, groups) and is_after else marked


def _beside(rules: Iterable[JsonObject], mine: Set[str]) -> frozenset[str]:
    """Return all groups of the rules that forward to at least one of the groups in `mine`."""
    forwards = (weights_of(one["Actions"]).keys() for one in rules)
    return frozenset(group for groups in forwards if groups & mine for group in groups)
