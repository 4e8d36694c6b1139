"""The number of a stack's resources, which is the same in every message."""

from __future__ import annotations

from state.stack_state import StackState

# The resource types of account-wide resources (`shared`), named here because `list` loads no resource type.
ACCOUNT_WIDE_TYPES = frozenset({"ServiceLinkedRole"})


def resource_count(state: StackState) -> int:
    """Count the resources in a state, without the account-wide ones."""
    return sum(one.type_name not in ACCOUNT_WIDE_TYPES for one in state.resources.values())
