"""Unmanaged children: what lies in a resource of ours and nobody declared, as somebody added it by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.refs import Doc


@dataclass(frozen=True)
class Extra:
    """One unmanaged child of a resource.

    `what` names it in words, `doc` is what the call that removes it takes, and `stays` is why it is left
    instead. `gone` are the codes by which AWS says that it is gone already. `owner` is the AWS service that
    made it for itself: such a child is no drift. A `doubtful` one stands for
    those that AWS did not let be listed, and `stays` says where to look for them.
    """

    what: str
    doc: Doc
    stays: str = ""
    gone: frozenset[str] = frozenset()
    owner: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class Part:
    """A known child of some resource, declared, recorded or read, with the name of its type."""

    kind: str
    doc: Doc


@dataclass(frozen=True)
class Inside:
    """All known children of one resource."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, id_: str, parts: Iterable[Part]) -> Inside:
        """Select the children of the resource with this id: the parts that have the id among their values."""
        return cls(tuple(part for part in parts if id_ in part.doc.values()))

    def values(self, key: str) -> set[str]:
        """Return the values that the children have at a key, as text."""
        return {str(part.doc[key]) for part in self.parts if part.doc.get(key) is not None}

    def has(self, content: Mapping[str, Any], *kinds: str) -> bool:
        """Return whether a child of one of these types has all of `content`."""
        return any(content.items() <= part.doc.items() for part in self._of(kinds))

    def _of(self, kinds: tuple[str, ...]) -> Iterator[Part]:
        return (part for part in self.parts if part.kind in kinds)
