"""Shelves for tests: one in memory, and one that loses replies and whose ages follow a clock of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from provisioner.errors import LedgerError
from state.shelf import Conflict, Kept, Shelf


@dataclass
class Hands:
    """A clock that goes only when it is told to."""

    at: float = 1000.0
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.on_sleep()


@dataclass
class MemoryShelf:
    """A shelf in a dictionary; every writing has a tag of its own."""

    held: dict[str, Kept] = field(default_factory=dict)
    writings: int = 0

    def get(self, key: str) -> Kept | None:
        return self.held.get(key)

    def put(self, key: str, text: bytes, over: str | None) -> str:
        there = self.held.get(key)
        if (there.tag if there else None) != over:
            raise Conflict(key)
        self.writings += 1
        self.held[key] = Kept(text, f"w{self.writings}", 0.0)
        return self.held[key].tag

    def drop(self, key: str, tag: str) -> None:
        there = self.held.get(key)
        if there and there.tag != tag:
            raise Conflict(key)
        self.held.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.held if key.startswith(prefix))


@dataclass
class Ageing:
    """A shelf whose ages are by a clock of ours, and that fails when it is told to."""

    shelf: Shelf
    clock: Hands
    born: dict[str, float] = field(default_factory=dict)
    # Of the next puts: "lost" carries out and is tried again, as after a lost reply; "cut off" does nothing.
    faults: list[str] = field(default_factory=list)
    is_cut_off: bool = False

    def get(self, key: str) -> Kept | None:
        self._reach()
        kept = self.shelf.get(key)
        at = self.clock.at
        return replace(kept, age=at - self.born.get(kept.tag, at)) if kept else None

    def put(self, key: str, text: bytes, over: str | None) -> str:
        self._reach()
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "cut off":
            raise LedgerError("S3 cannot be reached")
        tag = self.shelf.put(key, text, over)
        self.born[tag] = self.clock.at
        return self.shelf.put(key, text, over) if fault == "lost" else tag

    def drop(self, key: str, tag: str) -> None:
        self._reach()
        self.shelf.drop(key, tag)

    def keys(self, prefix: str) -> list[str]:
        self._reach()
        return self.shelf.keys(prefix)

    def _reach(self) -> None:
        if self.is_cut_off:
            raise LedgerError("S3 cannot be reached")
