"""One thing that would go wrong, or might."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What stands in the way of which resource, and what to type; one that does not block is a warning."""

    address: str
    what: str
    hint: str = ""
    blocks: bool = True
    limit: float | None = None
    used: float | None = None
    needed: float | None = None
