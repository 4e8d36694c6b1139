"""How many resources a stack has, the same wherever a number is told."""

from __future__ import annotations

from state.document import Document

# The resource types of the account's own resources (`shared`), named here as `list` loads none of them.
ACCOUNTS_OWN = frozenset({"ServiceLinkedRole"})


def resources_in(document: Document) -> int:
    """Count the resources that a state file tells of, the account's own roles left out."""
    return sum(one.kind not in ACCOUNTS_OWN for one in document.entries.values())
