"""What one look is about, as the ledgers know it: resources that one call may ask for together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from state.document import Document

Doc = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """One resource of the look; `confirmed` is what AWS was known to hold of it, when it was last ready."""

    kind: str
    name: str
    id: str
    region: str
    confirmed: Doc | None


@dataclass(frozen=True)
class Peers:
    """All resources of the stacks that are looked at, and those stacks' suffixes."""

    listed: tuple[Peer, ...] = ()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, *documents: Document) -> Peers:
        """Those that the ledgers know by their ids."""
        return cls(tuple(_known(documents)), tuple(sorted(document.suffix for document in documents)))

    def within(self, region: str) -> Peers:
        """Those of one region."""
        return Peers(tuple(peer for peer in self.listed if peer.region == region), self.suffixes)

    def get(self, id_: str) -> Peer | None:
        """The one of this id."""
        return next((peer for peer in self.listed if peer.id == id_), None)

    def stacks(self, own: str, *, most: int) -> list[str]:
        """The suffix `own` and those that may be asked for with it: the same list for each of them."""
        return _portion(self.suffixes, own, most)

    def together(
        self, own: str, *kinds: str, by: Literal["id", "name"] = "id", most: int, among: str = ""
    ) -> list[str]:
        """`own` and what may be asked for with it, `most` at once: the same list for each of them.

        So each of them makes the same call, and the answer is shared.
        """
        ids = ((getattr(peer, by), peer.id) for peer in self.listed if peer.kind in kinds)
        listed = sorted({told for told, id_ in ids if told and among in id_})
        return _portion(listed, own, most)


def _portion(listed: Sequence[str], own: str, most: int) -> list[str]:
    if own not in listed:
        return [own]
    start = listed.index(own) // most * most
    return list(listed[start : start + most])


def _known(documents: Sequence[Document]) -> Iterator[Peer]:
    for document in documents:
        for entry in document.entries.values():
            if entry.id:
                confirmed = entry.confirmed if entry.phase == "ready" else None
                region = entry.region or document.place.region
                yield Peer(entry.kind, entry.name, entry.id, region, confirmed)
