"""Forwards whose weights ECS sets: told as such, and left as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.strategies import shift_of
from provisioner.kinds.elbv2.forms import weights_of

# The member that tells who leads, in words, where it is not us.
SHIFTED_BY = "ShiftedBy"
# By the group that is declared, the one to which ECS leads its requests now.
STANDS_IN = "StandsIn"


def with_shift(
    elbv2: Any, it: Item, doc: Doc, told: Mapping[str, int], ours: Iterable[str], rules: Iterable[Doc] = ()
) -> Doc:
    """Return what leads somewhere, with ECS as who decides where, if it does; asked where it leads elsewhere.

    Args:
        elbv2: The client; ECS is asked beside it.
        it: The listener or rule, as it is declared.
        doc: What AWS says of it.
        told: The weights of the groups that it leads to, by ARN.
        ours: The groups that it is declared to lead to.
        rules: The listener's rules: the one that ECS was told of leads to the group that serves.

    """
    groups, mine = frozenset(told), frozenset(ours)
    if not mine or groups <= mine:
        return doc
    shift = shift_of(beside(elbv2, "ecs"), it.suffix, str(doc.get("RuleArn", "")), groups)
    if shift is None:
        return doc
    production = (weights_of(one["Actions"]) for one in rules if one["RuleArn"] in shift.rules[:1])
    weights = next(production, {}) or told
    marked = {**doc, SHIFTED_BY: shift.words}
    # One that leads to a single group was led there by hand, and may have been left since.
    is_shifted = len(weights) > 1
    return {**marked, STANDS_IN: {shift.own: max(weights, key=weights.__getitem__)}} if is_shifted else marked
