"""Shelves for tests: one in memory, and one that loses replies and whose ages follow a clock of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from state.errors import StateError
from state.object_store import ObjectStore, StoredObject, WriteConflict


@dataclass
class Hands:
    """A clock that goes only when it is told to; its wall time and its monotonic time may move apart.

    `at` is the time that really passes, by which a store counts ages.
    """

    at: float = 1000.0
    on_sleep: Callable[[], None] = lambda: None
    suspended: float = 0.0
    stepped: float = 0.0

    def now(self) -> float:
        return self.at - self.suspended

    def wall(self) -> float:
        return self.at + self.stepped

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.on_sleep()

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: its monotonic clock stands still meanwhile."""
        self.at += seconds
        self.suspended += seconds

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock, forward or back."""
        self.stepped += seconds


@dataclass
class MemoryShelf:
    """A shelf in a dictionary; every writing has a tag of its own."""

    held: dict[str, StoredObject] = field(default_factory=dict)
    writings: int = 0

    def get(self, key: str) -> StoredObject | None:
        return self.held.get(key)

    def put(self, key: str, text: bytes, over: str | None) -> str:
        stored = self.held.get(key)
        if (stored.etag if stored else None) != over:
            raise WriteConflict(key)
        self.writings += 1
        self.held[key] = StoredObject(text, f"w{self.writings}", 0.0)
        return self.held[key].etag

    def delete(self, key: str, tag: str) -> None:
        stored = self.held.get(key)
        if stored and stored.etag != tag:
            raise WriteConflict(key)
        self.held.pop(key, None)

    def list_keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.held if key.startswith(prefix))


@dataclass
class Ageing:
    """A shelf whose ages are by a clock of ours, and that fails when it is told to."""

    shelf: ObjectStore
    clock: Hands
    born: dict[str, float] = field(default_factory=dict)
    # Of the next puts: "lost" carries out and is tried again, as after a lost reply; "cut off" does nothing.
    faults: list[str] = field(default_factory=list)
    is_cut_off: bool = False

    def get(self, key: str) -> StoredObject | None:
        self._reach()
        stored = self.shelf.get(key)
        at = self.clock.at
        return replace(stored, age_seconds=at - self.born.get(stored.etag, at)) if stored else None

    def put(self, key: str, text: bytes, over: str | None) -> str:
        self._reach()
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "cut off":
            raise StateError("S3 cannot be reached")
        tag = self.shelf.put(key, text, over)
        self.born[tag] = self.clock.at
        return self.shelf.put(key, text, over) if fault == "lost" else tag

    def delete(self, key: str, tag: str) -> None:
        self._reach()
        self.shelf.delete(key, tag)

    def list_keys(self, prefix: str) -> list[str]:
        self._reach()
        return self.shelf.list_keys(prefix)

    def _reach(self) -> None:
        if self.is_cut_off:
            raise StateError("S3 cannot be reached")
