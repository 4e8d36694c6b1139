"""A problem of a plan that a preflight check found."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioner.engine.resource_graph.graph import Resource


@dataclass(frozen=True)
class Finding:
    """A problem of a plan: the address of the resource, what is wrong, and what to do about it.

    If it does not block, it is a warning. `limit`, `used` and `needed` are the numbers behind it, if it has
    any.
    """

    address: str
    problem: str = field(metadata={"json": "what"})
    hint: str = ""
    is_blocking: bool = field(default=True, metadata={"json": "blocks"})
    limit: float | None = None
    used: float | None = None
    needed: float | None = None


def address_of(resource: Resource) -> str:
    """Return the address of a declared resource, such as "network/vpc"."""
    return f"{resource.step}/{resource.logical_id}"
