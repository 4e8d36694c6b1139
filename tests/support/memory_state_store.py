"""A ledger's store that is no file."""

from __future__ import annotations

import threading

from state.stack_state import StackState


class MemoryStateStore:
    """A store that remembers every document it was given, and may be slow about it."""

    description = "memory"

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

    def claim(self, text: bytes) -> bool:
        self.save(text)
        return True

    def release_claim(self) -> None:
        """Nothing was written only to claim it."""

    def quarantine(self, stamp: str) -> str:
        self.remove()
        return stamp

    def save_version(self, version: str, text: bytes) -> None:
        raise AssertionError(version, text)

    def rewrite_version(self, version: str, text: bytes) -> None:
        raise AssertionError(version, text)

    def load_version(self, version: str) -> bytes | None:
        raise AssertionError(version)

    def version_names(self) -> list[str]:
        return []

    @property
    def latest(self) -> StackState:
        return StackState.parse(self.saved[-1], "memory")
