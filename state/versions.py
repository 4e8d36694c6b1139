"""What a ledger was before the last runs: named by when it was kept, its serial and its lineage."""

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
    """The name of one past document, taken apart."""

    name: str
    kept: str
    serial: int
    lineage: str

    @classmethod
    def parse(cls, name: str) -> Version:
        """The version of that name."""
        kept, _, rest = name.partition("-")
        serial, _, lineage = rest.partition("-")
        return cls(name, kept, int(serial), lineage)


def remember(store: Store, document: Document) -> None:
    """Keep the document as it is, where the newest kept one is another.

    One that was read in an older schema brings what is kept before it into this one, too: an older schema
    held values in clear.
    """
    if document.read_in != SCHEMA:
        _renew(store)
    tail = f"-{document.serial:06d}-{document.lineage[:8]}"
    names = store.versions()
    if not names or not names[-1].endswith(tail):
        store.keep(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + tail, document.dump())


def _renew(store: Store) -> None:
    """Write each kept document anew under its own name; a damaged one stays as it is."""
    for name in store.versions():
        with suppress(LedgerError):
            store.rewrite(name, Document.parse(store.past(name) or b"", name).dump())


def versions(store: Store) -> list[Version]:
    """The past documents that are kept, oldest first."""
    return [Version.parse(name) for name in store.versions() if _NAME.fullmatch(name)]
