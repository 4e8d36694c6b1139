"""Before what keeps a secret is made anew: writes down that whoever was told it holds the former one.

The keeper's id tells them apart (`Kept`). Once the new one stands, a state that names none, or that knows the
resource for the first time, could not tell any more: neither later in this run nor after it was cut off.
"""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.act import Hands
from provisioner.engine.adopt import take_over
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan, target_of, wanted_of
from provisioner.engine.refs import Doc, Kept


def doubt(hands: Hands, plan: Plan) -> None:
    """Write it down of each that stands and AWS never tells of; those that were not chosen stand, too."""
    whole = plan.whole or plan
    for node in whole.stack:
        change = whole.changes[node.name]
        if node.kind.unread and node.name in whole.docs and not change.foreign:
            wanted = wanted_of(whole, node, hands.clients)
            if doubted := _doubted(node, wanted):
                _write(hands, plan, node, wanted, doubted)


def _doubted(node: Node, wanted: Doc) -> Doc:
    """The secrets whose keeper is yet to be made, as they are written down."""
    return {
        key: value.mark
        for key, value in wanted.items()
        if key in node.kind.unread and isinstance(value, Kept) and value.is_to_come
    }


def _write(hands: Hands, plan: Plan, node: Node, wanted: Doc, doubted: Doc) -> None:
    change = (plan.whole or plan).changes[node.name]
    if change.adopts and node.name in plan.changes:
        target = target_of(node, plan.stack.suffix, None, wanted).with_id(change.id)
        take_over(hands, target, change, hands.ledger.get(node.name))
    entry = hands.ledger.get(node.name)
    if entry and entry.id == change.id:
        hands.ledger.adopt(node.name, replace(entry, confirmed={**(entry.confirmed or {}), **doubted}))
