"""Earlier versions of a state, named by when they were saved, their serial and their lineage."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass

from provisioner.errors import LedgerError
from state.document import SCHEMA, Document
from state.store import Store

_NAME = re.compile(r"\d{8}T\d{6}Z-\d+-\w+")


@dataclass(frozen=True)
class Version:
    """The parts of one earlier version's name."""

    name: str
    kept: str
    serial: int
    lineage: str

    @classmethod
    def parse(cls, name: str) -> Version:
        """Return the parts of this name."""
        kept, _, rest = name.partition("-")
        serial, _, lineage = rest.partition("-")
        return cls(name, kept, int(serial), lineage)


def remember(store: Store, document: Document) -> None:
    """Save the state as an earlier version, unless it is the newest one that is saved already.

    If the state was read from an older schema, all saved versions are rewritten in this one first, because
    the older schema held values in clear.
    """
    if document.read_in != SCHEMA:
        _renew(store)
    tail = f"-{document.serial:06d}-{document.lineage[:8]}"
    names = store.versions()
    if not names or not names[-1].endswith(tail):
        store.keep(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + tail, document.dump())


def _renew(store: Store) -> None:
    """Rewrite each saved version in the newest schema, under its own name; leave a damaged one as it is."""
    for name in store.versions():
        with suppress(LedgerError):
            store.rewrite(name, Document.parse(store.past(name) or b"", name).dump())


def versions(store: Store) -> list[Version]:
    """Return the earlier versions that are saved, oldest first."""
    return [Version.parse(name) for name in store.versions() if _NAME.fullmatch(name)]
