"""Record which resources hold a former secret, before the resource that keeps the secret is created anew.

The id of the keeper tells two secrets apart (`Kept`). Once the new keeper exists, a state that names no
keeper, or that learns of the resource only now, could not tell that AWS still holds the former secret:
neither later in this run nor after an interruption.
"""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.act import Hands
from provisioner.engine.adopt import take_over
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan, target_of, wanted_of
from provisioner.engine.refs import Doc, Kept


def doubt(hands: Hands, plan: Plan) -> None:
    """Record each existing resource, selected or not, that will still hold a secret of the former keeper."""
    whole = plan.whole or plan
    for node in whole.stack:
        change = whole.changes[node.name]
        if node.kind.unread and node.name in whole.docs and not change.foreign:
            wanted = wanted_of(whole, node, hands.clients)
            if doubted := _doubted(node, wanted):
                _write(hands, plan, node, wanted, doubted)


def _doubted(node: Node, wanted: Doc) -> Doc:
    """Return a resource's secrets whose keeper is yet to be created, in the form that the state holds."""
    return {
        key: value.mark
        for key, value in wanted.items()
        if key in node.kind.unread and isinstance(value, Kept) and value.is_to_come
    }


def _write(hands: Hands, plan: Plan, node: Node, wanted: Doc, doubted: Doc) -> None:
    # Adopt the resource where it is new to the state, then record that it holds the former secrets.
    change = (plan.whole or plan).changes[node.name]
    if change.adopts and node.name in plan.changes:
        target = target_of(node, plan.stack.suffix, None, wanted).with_id(change.id)
        take_over(hands, target, change, hands.ledger.get(node.name))
    resource_state = hands.ledger.get(node.name)
    if resource_state and resource_state.id == change.id:
        hands.ledger.record_adopted(
            node.name, replace(resource_state, recorded={**(resource_state.recorded or {}), **doubted})
        )
