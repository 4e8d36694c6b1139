"""Secrets that the user gives for a resource: a new one needs them, and a restored one has its own."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.planning.change import Change
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import secrets_in


def require_secret_inputs(resource: Resource, change: Change) -> Change:
    """Return the creation of a resource, refused where the user has not given a secret that it needs."""
    told = (secret.missing_input() for secret in secrets_in(resource.props))
    why, remedy = next((one for one in told if one[0]), ("", ""))
    if not why:
        return change
    return replace(change, action="refuse", reason="; ".join(filter(None, (change.reason, why))), remedy=remedy)


def unused_secret_inputs(resource: Resource, change: Change) -> Change:
    """Return the change of a restored resource, with a note on secrets that the user gave for a new one."""
    unused = filter(None, (secret.unused_input() for secret in secrets_in(resource.props)))
    return replace(change, reason="; ".join((change.reason, *unused)))
