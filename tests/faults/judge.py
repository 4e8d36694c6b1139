"""What an account holds, by kind and name, ids left out; and what of it is too much or missing."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.support import account_inventory

Held = Counter[tuple[str, str]]

# The tail of an id or an ARN that AWS chose: `vpc-0a1b…`, `/1f2e3d…`, `:secret:name-AbCdEf`.
_CHOSEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}(-\d\d){4}|[0-9a-f]{8,}|-\w{6}$|\b\d{15,}\b")
# Distributions are told by their comment: AWS chooses their names.
_NAMES = ("Comment", "Description", "Name", "InterfaceType", "CidrBlock")


# What is made for the data's sake, and outlives the stack where there were any.
_KEPT = ("db snapshot ", "backup ", "key ")
_GLOBAL = "us-east-1"


def held(endpoint: str, region: str = _GLOBAL) -> Held:
    """Everything in the account, by kind and name: in a region, and where CloudFront's things live."""
    return Counter(
        (f"{type_name} in {where}" if where != _GLOBAL else type_name, _name(key, json.loads(line)))
        for where in dict.fromkeys((region, _GLOBAL))
        for type_name, docs in account_inventory.inventory(endpoint, where).items()
        for key, line in docs.items()
        if not _is_ending(line)
    )


def _is_ending(line: str) -> bool:
    """A key that KMS will delete, in a week at the earliest."""
    return '"KeyState": "PendingDeletion"' in line


def is_kept(missing: str) -> bool:
    """Whether it is there for the sake of data only: where there were none, nobody misses it."""
    return missing.startswith(_KEPT)


def _name(key: str, doc: Any) -> str:
    """The node of ours that it is, else what names it, else its id without what AWS chose."""
    if not isinstance(doc, dict):
        return _CHOSEN.sub("*", str(doc))
    listed = doc.get("Tags") or doc.get("TagSet") or doc.get("TagList") or doc.get("tags") or []
    if isinstance(listed, dict):
        listed = [{"Key": key, "Value": value} for key, value in listed.items()]
    tags = {one.get("Key", one.get("key")): one.get("Value", one.get("value")) for one in listed}
    told = doc.get("Distribution", {}).get("DistributionConfig") or doc.get("KeyMetadata") or doc
    said = [str(tags.get("ml-api:node", "")), *(str(told.get(name) or "") for name in _NAMES)]
    routes = [str(route.get("DestinationCidrBlock", "list")) for route in doc.get("Routes", [])]
    words = " ".join(one for one in [*said, *sorted(routes)] if one) or key
    return _CHOSEN.sub("*", words)


@dataclass(frozen=True)
class Difference:
    """What an account holds against what it should hold."""

    orphans: list[str]
    duplicates: list[str]
    missing: list[str]

    @property
    def is_none(self) -> bool:
        """Whether they are alike."""
        return not (self.orphans or self.duplicates or self.missing)


def compare(is_: Held, should: Held) -> Difference:
    """Set two accounts against each other; what there is one of in both, and a second in one, is twice."""
    more = is_ - should
    return Difference(
        [f"{type_name} {name}" for type_name, name in more if not should[type_name, name]],
        [f"{type_name} {name}" for type_name, name in more if should[type_name, name]],
        [f"{type_name} {name}" for type_name, name in should - is_],
    )
