"""What a person gives for a resource that is made: needed for a new one, not used for one that comes back."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.decide import Change
from provisioner.engine.graph import Node
from provisioner.engine.refs import veils_in


def demand(node: Node, change: Change) -> Change:
    """Refuse to make one whose secret a person has to give first."""
    told = (secret.missing() for secret in veils_in(node.props))
    why, remedy = next((one for one in told if one[0]), ("", ""))
    if not why:
        return change
    return replace(change, verb="refuse", why="; ".join(filter(None, (change.why, why))), remedy=remedy)


def given_in_vain(node: Node, change: Change) -> Change:
    """Say of one that is brought back what a person gave for a new one."""
    unused = filter(None, (secret.unused() for secret in veils_in(node.props)))
    return replace(change, why="; ".join((change.why, *unused)))
