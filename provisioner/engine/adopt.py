"""Writes down in the ledger what is there."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.act import Hands
from provisioner.engine.decide import AT_WORK, Change
from provisioner.engine.intervals import last_change
from provisioner.engine.known import Known
from provisioner.engine.private import written
from provisioner.engine.refs import Doc
from provisioner.engine.target import Target
from provisioner.names import own_tags
from state.document import Entry


def borrowed(hands: Hands, known: Known, target: Target) -> Doc | None:
    """What could not be looked for in the plan: one of somebody else's, that may serve as it is."""
    doc = hands.read(target) if target.kind.borrows else None
    if doc is not None:
        known.learn(target.with_id(target.kind.id_of(doc)), doc)
    return doc


def take_over(hands: Hands, target: Target, change: Change, entry: Entry | None) -> None:
    """Bring the ledger up to what is there: adopt it, or keep what was asked of it this time.

    What is as wanted now may have been meant otherwise by a run that was cut off: that is not kept.
    """
    wanted, tags = written(target.it.props, hands.ledger.salt), own_tags(target.it.tags)
    name, needs = target.it.node, list(target.needs)
    if entry is None or entry.id != change.id:
        if entry and entry.id:
            hands.ledger.retire(name, f"{name}~{entry.id}")
        adopted = Entry(
            str(target.kind),
            target.it.name,
            target.piece,
            target.region,
            "finishing",
            change.id,
            wanted,
            needs=needs,
            # As good as new to those who wait out what AWS may hide; no change of ours, so no cooldown.
            made=hands.clock.wall(),
            changed=last_change(target.kind, entry) if change.verb == "keep" else 0.0,
            tags=tags,
        )
        hands.ledger.adopt(name, adopted)
        hands.patience.newborns.add(target)
    elif change.verb == "keep" or (change.verb == "finish" and is_compared(target, change)):
        kept = replace(entry, wanted=wanted, needs=needs, tags=tags)
        if kept != entry or entry.phase != "ready":
            hands.ledger.adopt(name, kept)
    if entry and hands.patience.is_new(entry.made):
        hands.patience.newborns.add(target, entry.made)
    elif entry and entry.phase != "ready":
        hands.patience.newborns.add(target)


def is_compared(target: Target, change: Change) -> bool:
    """Whether what is to be finished was held against what is wanted: AWS at work may not tell all yet."""
    return not (target.kind.closed_until_ready and change.why == AT_WORK)
