"""The ledger: what was meant, what is known, and what was confirmed of every resource of one stack.

It is written before and after every call that changes AWS, so that a run that dies anywhere has told
the next one where it was. No secret is ever in it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from provisioner.errors import ProvisionerError
from state.document import Begun, Document, Entry, Intent, Tombstone
from state.store import Store


class Ledger:
    """One stack's document and the acts that change it; every act is on disk when it returns.

    Safe to use from several threads: acts that come at once share one write, and its failure. `guard`
    raises when this run may write no longer.
    """

    def __init__(
        self,
        document: Document,
        store: Store,
        wall: Callable[[], float],
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self.document = document
        self._guard = guard
        self._store = store
        self._wall = wall
        self._change = threading.Lock()
        self._write = threading.Lock()
        self._written = self._tried = document.serial
        self._failure: ProvisionerError | None = None

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(self.document.entries.copy().items())

    @property
    def salt(self) -> str:
        """What private values are hashed with before they are written down."""
        return self.document.salt

    def get(self, node: str) -> Entry | None:
        """What is known of a node."""
        return self.document.entries.get(node)

    def intend(self, node: str, verb: str, entry: Entry) -> Intent:
        """Write down that `verb` is about to be called; the token of an open intent of that verb is kept."""
        with self._acting():
            known = self.document.entries.get(node)
            entry.intent = _same_intent(known, verb) or Intent(verb, uuid.uuid4().hex, self._wall())
            self.document.entries[node] = entry
        return entry.intent

    def found(self, node: str, id_: str, changed: float = 0.0) -> None:
        """Write down the id that AWS gave; the intent is fulfilled. `changed`: see Entry."""
        with self._acting():
            entry = self.document.entries[node]
            entry.id, entry.phase, entry.intent = id_, "finishing", None
            entry.made, entry.changed = self._wall(), changed

    def adopt(self, node: str, entry: Entry) -> None:
        """Write down a resource that was found in AWS and is ours."""
        with self._acting():
            self.document.entries[node] = entry

    def confirm(self, node: str, id_: str = "", changed: float = 0.0) -> None:
        """Write down that AWS holds what was wanted, and that it is ready; `changed` as in `found`."""
        with self._acting():
            entry = self.document.entries[node]
            entry.id, entry.changed = id_ or entry.id, max(entry.changed, changed)
            entry.phase, entry.confirmed, entry.intent = "ready", entry.wanted, None

    def changed(self, node: str, at: float, *, more: bool) -> None:
        """Write down when AWS took a change, of a thing that it takes only so many of; `more` are to come."""
        with self._acting():
            entry = self.document.entries[node]
            entry.changed = at
            if more:
                entry.phase, entry.intent = "finishing", None

    def retire(self, node: str, under: str) -> None:
        """Put an entry aside under another name: a new resource takes its place, it will be deleted."""
        with self._acting():
            self.document.rename(node, under)

    def forget(self, node: str, *, deleted: bool) -> None:
        """Take an entry out; what was deleted leaves a tombstone."""
        with self._acting():
            entry = self.document.entries.pop(node, None)
            if entry and deleted and entry.id:
                stone = Tombstone(
                    node, entry.kind, entry.name, entry.id, entry.region, self._wall(), entry.wanted
                )
                self.document.tombstones.append(stone)

    def begin(self, key: str, begun: Begun) -> None:
        """Write down that a command is about to be run once, or which task runs it."""
        with self._acting():
            self.document.begun[key] = begun

    def end(self, key: str, task: str) -> None:
        """Write down that the end of a command was told, unless another task was begun for it since."""
        begun = self.document.begun.get(key)
        if begun and begun.task in ("", task):
            with self._acting():
                del self.document.begun[key]

    def begin_teardown(self) -> None:
        """Write down that deletions begin: the outputs name what will be gone."""
        with self._acting():
            self.document.outputs = {}
            self.document.teardown_began = self.document.teardown_began or self._wall()

    def conclude(self, order: Sequence[str], outputs: Mapping[str, str], *, whole: bool = True) -> None:
        """Write down the stack's outputs, and its entries in the order in which they are declared.

        `whole` says whether all of the stack was brought up, so that no teardown of it is unfinished.
        """
        with self._acting():
            entries = self.document.entries
            names = [name for name in order if name in entries]
            rest = [name for name in entries if name not in order]
            self.document.entries = {name: entries[name] for name in names + rest}
            self.document.outputs = dict(outputs)
            self.document.teardown_began = 0.0 if whole else self.document.teardown_began

    @contextmanager
    def _acting(self) -> Iterator[None]:
        with self._change:
            yield
            self.document.serial += 1
            serial = self.document.serial
        self._flush(serial)

    def _flush(self, serial: int) -> None:
        with self._write:
            if self._written >= serial:
                return
            if self._failure and self._tried >= serial:
                raise self._failure
            self._guard()
            with self._change:
                self._tried, text = self.document.serial, self.document.dump()
            try:
                self._store.save(text)
            except ProvisionerError as error:
                self._failure = error
                raise
            self._written = self._tried


def _same_intent(entry: Entry | None, verb: str) -> Intent | None:
    return entry.intent if entry and entry.intent and entry.intent.verb == verb else None
