"""What lies in one of ours and nobody declared: somebody put it there by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.refs import Doc


@dataclass(frozen=True)
class Extra:
    """One thing inside another: in words, as the call that removes it takes it, or why it stays.

    `gone` are the codes by which AWS says that it is gone already.
    """

    what: str
    doc: Doc
    stays: str = ""
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """What is known to lie in something: declared, remembered or seen there; its kind by name."""

    kind: str
    doc: Doc


@dataclass(frozen=True)
class Inside:
    """All that is known to lie in one thing."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, id_: str, parts: Iterable[Part]) -> Inside:
        """The parts that name the thing of this id."""
        return cls(tuple(part for part in parts if id_ in part.doc.values()))

    def values(self, key: str) -> set[str]:
        """What the parts have at a key, as text."""
        return {str(part.doc[key]) for part in self.parts if part.doc.get(key) is not None}

    def has(self, content: Mapping[str, Any], *kinds: str) -> bool:
        """Whether a part of one of these kinds has all of `content`."""
        return any(content.items() <= part.doc.items() for part in self._of(kinds))

    def _of(self, kinds: tuple[str, ...]) -> Iterator[Part]:
        return (part for part in self.parts if part.kind in kinds)
