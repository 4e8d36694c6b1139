"""Unmanaged children: what lies in a resource of ours and nobody declared, as somebody added it by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.refs import JsonObject


@dataclass(frozen=True)
class Unmanaged:
    """One unmanaged child of a resource.

    `what` names it in words, `request` is what the call that removes it takes, and `kept_reason` is why it is left
    instead. `not_found_codes` are the codes by which AWS says that it is gone already. `owner` is the AWS service that
    made it for itself: such a child is no drift. A `doubtful` one stands for
    those that AWS did not let be listed, and `kept_reason` says where to look for them.
    """

    what: str
    request: JsonObject
    kept_reason: str = ""
    not_found_codes: frozenset[str] = frozenset()
    owner: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class KnownChild:
    """A known child of some resource, declared, recorded or read, with the name of its type."""

    type_name: str
    content: JsonObject


@dataclass(frozen=True)
class KnownChildren:
    """All known children of one resource."""

    children: tuple[KnownChild, ...]

    @classmethod
    def of(cls, id_: str, parts: Iterable[KnownChild]) -> KnownChildren:
        """Select the children of the resource with this id: the parts that have the id among their values."""
        return cls(tuple(part for part in parts if id_ in part.content.values()))

    def values(self, key: str) -> set[str]:
        """Return the values that the children have at a key, as text."""
        return {str(part.content[key]) for part in self.children if part.content.get(key) is not None}

    def has(self, content: Mapping[str, Any], *type_names: str) -> bool:
        """Return whether a child of one of these types has all of `content`."""
        return any(content.items() <= part.content.items() for part in self._of_types(type_names))

    def _of_types(self, type_names: tuple[str, ...]) -> Iterator[KnownChild]:
        return (part for part in self.children if part.type_name in type_names)
