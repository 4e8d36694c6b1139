"""The number of a stack's resources, which is the same in every message."""

from __future__ import annotations

from state.document import Document

# The resource types of account-wide resources (`shared`), named here because `list` loads no resource type.
ACCOUNTS_OWN = frozenset({"ServiceLinkedRole"})


def resources_in(document: Document) -> int:
    """Count the resources in a state, without the account-wide ones."""
    return sum(one.kind not in ACCOUNTS_OWN for one in document.entries.values())
