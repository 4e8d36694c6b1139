"""The writer of a stack's state: it records what was intended, what was created and what was confirmed.

The state is written before and after every call that changes AWS, so that a run that is killed at any
moment leaves enough for the next run to go on. No secret is ever written.
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
    """The only writer of one stack's state; when a method returns, its change is on disk.

    Threads may share it: changes that come at the same time are saved in one write, and fail together if that
    write fails. `guard` is called before each write and raises when this run may no longer write.
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
        """The salt of the hashes that are written in place of sensitive values."""
        return self.document.salt

    def get(self, node: str) -> Entry | None:
        """Return the state of one resource, or None if there is none."""
        return self.document.entries.get(node)

    def intend(self, node: str, verb: str, entry: Entry) -> Intent:
        """Record that the action `verb` is about to be called, and return the intent with its client token.

        An open intent of the same action is kept, so that a repeated call carries the same token.
        """
        with self._acting():
            known = self.document.entries.get(node)
            entry.intent = _same_intent(known, verb) or Intent(verb, uuid.uuid4().hex, self._wall())
            self.document.entries[node] = entry
        return entry.intent

    def found(self, node: str, id_: str, changed: float = 0.0) -> None:
        """Record the id that AWS returned for a created resource, and clear its intent.

        `changed` is the wall-clock second of the change for a resource type with a cooldown, else 0.
        """
        with self._acting():
            entry = self.document.entries[node]
            entry.id, entry.phase, entry.intent = id_, "finishing", None
            entry.made, entry.changed = self._wall(), changed

    def adopt(self, node: str, entry: Entry) -> None:
        """Record a resource of this stack that was found in AWS."""
        with self._acting():
            self.document.entries[node] = entry

    def confirm(self, node: str, id_: str = "", changed: float = 0.0) -> None:
        """Record that AWS holds what was asked for, and that the resource is ready.

        `changed` is the wall-clock second of the change for a resource type with a cooldown, else 0.
        """
        with self._acting():
            entry = self.document.entries[node]
            entry.id, entry.changed = id_ or entry.id, max(entry.changed, changed)
            entry.phase, entry.confirmed, entry.intent = "ready", entry.wanted, None

    def changed(self, node: str, at: float, *, more: bool) -> None:
        """Record at which wall-clock second AWS accepted a change of a resource that has a cooldown.

        With `more`, a part of the change is still to be made, so the resource is left in the phase
        `finishing`.
        """
        with self._acting():
            entry = self.document.entries[node]
            entry.changed = at
            if more:
                entry.phase, entry.intent = "finishing", None

    def retire(self, node: str, under: str) -> None:
        """Move a resource state to the key `under`: it is replaced, and will be deleted later."""
        with self._acting():
            self.document.rename(node, under)

    def forget(self, node: str, *, deleted: bool) -> None:
        """Remove a resource state; with `deleted`, leave a tombstone if its id was known."""
        with self._acting():
            entry = self.document.entries.pop(node, None)
            if entry and deleted and entry.id:
                stone = Tombstone(node, entry.kind, entry.name, entry.id, entry.region, self._wall(), entry.wanted)
                self.document.tombstones.append(stone)

    def begin(self, key: str, begun: Begun) -> None:
        """Record that a one-off command is about to run, or which task runs it."""
        with self._acting():
            self.document.begun[key] = begun

    def end(self, key: str, task: str) -> None:
        """Remove the record of a one-off command that has ended, unless another task has run it since."""
        begun = self.document.begun.get(key)
        if begun and begun.task in ("", task):
            with self._acting():
                del self.document.begun[key]

    def begin_teardown(self) -> None:
        """Record that a teardown begins to delete: clear the outputs, and note the time of the first one.

        The time is kept if an earlier teardown was not finished.
        """
        with self._acting():
            self.document.outputs = {}
            self.document.teardown_began = self.document.teardown_began or self._wall()

    def conclude(self, order: Sequence[str], outputs: Mapping[str, str], *, whole: bool = True) -> None:
        """Record the stack's outputs, and sort the resource states into the order of their declaration.

        Args:
            order: The logical ids in the order in which the stack declares them.
            outputs: The stack's outputs by name.
            whole: Whether the whole stack was applied. If so, the mark of an unfinished teardown is cleared.

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
        # Changes are made under one lock and written under another: while one thread writes, others change.
        with self._change:
            yield
            self.document.serial += 1
            serial = self.document.serial
        self._flush(serial)

    def _flush(self, serial: int) -> None:
        with self._write:
            if self._written >= serial:  # another thread's write has included this change
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
