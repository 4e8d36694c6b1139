"""Forwards whose weights ECS sets: told as such, and left as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.strategies import shift_between
from provisioner.kinds.elbv2.forms import weights_of
from provisioner.kinds.elbv2.tagged import STANDS_IN

# The member that tells who leads, in words, where it is not us.
SHIFTED_BY = "ShiftedBy"


def with_shift(
    elbv2: Any, it: Item, doc: Doc, told: Mapping[str, int], ours: Iterable[str], rules: Collection[Doc] = ()
) -> Doc:
    """Return what leads somewhere, with ECS as who decides where, if it does, and which group serves now.

    ECS is asked only where it, or a rule beside it, leads elsewhere than declared.

    Args:
        elbv2: The client; ECS is asked beside it.
        it: The listener or rule, as it is declared.
        doc: What AWS says of it.
        told: The weights of the groups that it leads to, by ARN.
        ours: The groups that it is declared to lead to.
        rules: The listener's rules: the one that ECS was told of leads to the group that serves.

    """
    groups, mine = frozenset(told), frozenset(ours)
    if not mine or groups | _beside(rules, mine) <= mine:
        return doc
    default = (one["RuleArn"] for one in rules if one["IsDefault"])
    arn = str(doc.get("RuleArn") or next(default, ""))
    shift = shift_between(beside(elbv2, "ecs"), it.suffix, groups)
    if shift is None:
        return doc
    production = next((one for one in rules if one["RuleArn"] in shift.rules[:1]), None)
    # One that leads to a single group was led there by hand, and may have been left since.
    weights = weights_of(production["Actions"]) if production else told if len(told) > 1 else {}
    serves = max(weights, key=weights.__getitem__, default="")
    marked = {**doc, STANDS_IN: {shift.own: serves}} if serves else doc
    # One that somebody led after ECS's rule is left as well, but not where that has left it since.
    is_after = not serves or arn in shift.rules or bool(told.get(serves))
    return {**marked, SHIFTED_BY: shift.words} if shift.leads(arn, groups) and is_after else marked


def _beside(rules: Iterable[Doc], mine: Set[str]) -> frozenset[str]:
    """The groups that some rule leads to beside one of these."""
    forwards = (weights_of(one["Actions"]).keys() for one in rules)
    return frozenset(group for groups in forwards if groups & mine for group in groups)
