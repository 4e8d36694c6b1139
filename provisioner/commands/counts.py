"""How many resources a stack has, the same wherever a number is told."""

from __future__ import annotations

from provisioner.kinds import KINDS
from state.document import Document


def resources_in(document: Document) -> int:
    """Count the resources that a state file tells of, the account's own roles left out."""
    return sum(not KINDS[one.kind].shared for one in document.entries.values())
