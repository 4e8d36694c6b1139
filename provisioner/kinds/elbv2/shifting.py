"""Forwards whose weights ECS sets: told as such, and left as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.engine.clients import beside
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.ecs.strategies import shift_of

# The member that tells who leads, in words, where it is not us.
SHIFTED_BY = "ShiftedBy"


def with_shift(elbv2: Any, it: Item, doc: Doc, told: Iterable[str], ours: Iterable[str]) -> Doc:
    """Return what leads somewhere, with ECS as who decides where, if it does; asked where it leads elsewhere.

    Args:
        elbv2: The client; ECS is asked beside it.
        it: The listener or rule, as it is declared.
        doc: What AWS says of it.
        told: The ARNs of the groups that it leads to.
        ours: Those that it is declared to lead to.

    """
    groups, mine = frozenset(told), frozenset(ours)
    if not mine or groups <= mine:
        return doc
    shift = shift_of(beside(elbv2, "ecs"), it.suffix, str(doc.get("RuleArn", "")), groups)
    return {**doc, SHIFTED_BY: shift.words} if shift else doc
