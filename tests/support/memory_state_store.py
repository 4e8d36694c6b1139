"""A ledger's store that is no file."""

from __future__ import annotations

import threading

from state.stack_state import StackState


class MemoryStateStore:
    """A store that remembers every document it was given, and may be slow about it."""

    where = "memory"

    def __init__(self) -> None:
        self.saved: list[bytes] = []
        self.held = threading.Event()
        self.held.set()
        self.saving = threading.Event()

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, text: bytes) -> None:
        self.saving.set()
        assert self.held.wait(10)
        self.saved.append(text)

    def remove(self) -> None:
        self.saved.clear()

    @property
    def latest(self) -> StackState:
        return StackState.parse(self.saved[-1], "memory")
