"""The inventory of an account by type and name, without ids, and the difference of two inventories."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.support import account_inventory

Inventory = Counter[tuple[str, str]]

# The tail of an id or an ARN that AWS chose: `vpc-0a1b…`, `/1f2e3d…`, `:secret:name-AbCdEf`.
_GENERATED_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}(-\d\d){4}|[0-9a-f]{8,}|-\w{6}$|\b\d{15,}\b"
)
# The members that name a resource; a distribution is known by its comment, as AWS chooses its name.
_NAMES = ("Comment", "Description", "Name", "InterfaceType", "CidrBlock")


# Types of resources that are retained with the data of a stack.
_RETAINED = ("db snapshot ", "backup ", "key ")
_GLOBAL = "us-east-1"


def inventory_of(endpoint: str, region: str = _GLOBAL) -> Inventory:
    """Return all resources of the account by type and name, in a region and in CloudFront's region."""
    return Counter(
        (f"{type_name} in {where}" if where != _GLOBAL else type_name, _name(key, json.loads(line)))
        for where in dict.fromkeys((region, _GLOBAL))
        for type_name, docs in account_inventory.inventory(endpoint, where).items()
        for key, line in docs.items()
        if not _is_pending_deletion(line)
    )


def _is_pending_deletion(line: str) -> bool:
    """Return whether it is a KMS key that is scheduled for deletion."""
    return '"KeyState": "PendingDeletion"' in line


def is_retained(missing: str) -> bool:
    """Return whether a missing resource is one that is retained with data: without data it may be missing."""
    return missing.startswith(_RETAINED)


def _name(key: str, doc: Any) -> str:
    """Return the logical id from its tags, else its name, else its id without the part that AWS generates."""
    if not isinstance(doc, dict):
        return _GENERATED_ID.sub("*", str(doc))
    listed = doc.get("Tags") or doc.get("TagSet") or doc.get("TagList") or doc.get("tags") or []
    if isinstance(listed, dict):
        listed = [{"Key": key, "Value": value} for key, value in listed.items()]
    tags = {one.get("Key", one.get("key")): one.get("Value", one.get("value")) for one in listed}
    named = doc.get("Distribution", {}).get("DistributionConfig") or doc.get("KeyMetadata") or doc
    names = [str(tags.get("ml-api:node", "")), *(str(named.get(name) or "") for name in _NAMES)]
    routes = [str(route.get("DestinationCidrBlock", "list")) for route in doc.get("Routes", [])]
    words = " ".join(one for one in [*names, *sorted(routes)] if one) or key
    return _GENERATED_ID.sub("*", words)


@dataclass(frozen=True)
class Difference:
    """The difference between what an account holds and what it should hold."""

    orphans: list[str]
    duplicates: list[str]
    missing: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not (self.orphans or self.duplicates or self.missing)


def compare(is_: Inventory, should: Inventory) -> Difference:
    """Return the difference; a second resource of a type and name that should exist once is a duplicate."""
    more = is_ - should
    return Difference(
        [f"{type_name} {name}" for type_name, name in more if not should[type_name, name]],
        [f"{type_name} {name}" for type_name, name in more if should[type_name, name]],
        [f"{type_name} {name}" for type_name, name in should - is_],
    )
