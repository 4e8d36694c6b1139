"""One problem that a preflight check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A problem of a plan: the address of the resource, what is wrong, and what to do about it.

    If it does not block, it is a warning. `limit`, `used` and `needed` are the numbers behind it, if it has
    any.
    """

    address: str
    what: str
    hint: str = ""
    blocks: bool = True
    limit: float | None = None
    used: float | None = None
    needed: float | None = None
