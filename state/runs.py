"""The records of earlier runs: one each beside the ledger, kept when the stack is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provisioner.errors import LedgerError
from state.run_shape import sound
from state.store import FileStore

# Of each stack the newest are kept.
KEPT = 50

Doc = dict[str, Any]


@dataclass(frozen=True)
class Name:
    """What one run is called: its stack, and the moment it began, in UTC."""

    suffix: str
    run: str


class History(Protocol):
    """What earlier runs can be asked of: the folder of this machine, or the shelf that a team shares."""

    def suffixes(self) -> list[str]:
        """The stacks that have left records, whether they still stand or not."""

    def names(self, suffix: str) -> list[Name]:
        """The names of a stack's runs, of those of all with `*`; newest first."""

    def read(self, name: Name) -> Doc:
        """One record, of whose shape all is certain; LedgerError where it is damaged."""


@dataclass(frozen=True)
class Runs:
    """The folder with a folder of runs for each stack."""

    folder: Path

    def new(self, suffix: str, at: float) -> FileStore:
        """The file of a run that began at this wall-clock second; the names sort by time."""
        return FileStore(self.folder / suffix / f"{run_at(at)}.json", "record")

    def save(self, store: FileStore, doc: Doc) -> None:
        """Write a record whole, and let go of the oldest."""
        store.save(text_of(doc))
        for old in self._paths(store.path.parent.name)[KEPT:]:
            old.unlink(missing_ok=True)
            _mark(old).unlink(missing_ok=True)

    def hold(self, store: FileStore, *, unsent: bool) -> None:
        """Note whether a record is still to be sent to where the state is shared."""
        with suppress(OSError):  # a note about a record ends no run
            _mark(store.path).touch() if unsent else _mark(store.path).unlink(missing_ok=True)

    def unsent(self, suffix: str) -> list[Name]:
        """The records of a stack that are still to be sent, oldest first."""
        return [name for name in reversed(self.names(suffix)) if _mark(self._path(name)).exists()]

    def sent(self, name: Name) -> None:
        """Note that a record is where the state is shared."""
        self.hold(FileStore(self._path(name)), unsent=False)

    def of(self, suffix: str) -> Iterator[Doc]:
        """The records of one stack that are JSON, newest first."""
        yield from self._readable(self._paths(suffix))

    def latest(self, count: int) -> Iterator[Doc]:
        """The newest records of all stacks that are JSON, newest first."""
        yield from self._readable(self._paths("*")[:count])

    def _readable(self, paths: Iterable[Path]) -> Iterator[Doc]:
        for path in paths:
            with suppress(LedgerError):  # one that cannot be read tells nothing, and hides no other
                yield _read(path)

    def suffixes(self) -> list[str]:
        """The stacks that have left records, whether they still stand or not."""
        return sorted({path.parent.name for path in self._paths("*")})

    def names(self, suffix: str) -> list[Name]:
        """The names of a stack's runs, of those of all with `*`; newest first."""
        return [Name(path.parent.name, path.stem) for path in self._paths(suffix)]

    def read(self, name: Name) -> Doc:
        """One file."""
        path = self._path(name)
        return checked(_read(path), str(path))

    def _path(self, name: Name) -> Path:
        return self.folder / name.suffix / f"{name.run}.json"

    def _paths(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"{suffix}/[0-9]*Z.json"), key=lambda path: path.name, reverse=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.unsent")


def run_at(at: float) -> str:
    """What a run is called that began at this wall-clock second."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}.{int(at * 1000) % 1000:03d}Z"


def text_of(doc: Doc) -> bytes:
    """A record as it is kept."""
    return json.dumps(doc, separators=(",", ":"), default=str).encode()


def parsed(text: bytes, where: str) -> Doc:
    """The mapping in a text, whatever it tells; LedgerError where it holds none."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, error) from error
    if not isinstance(told, dict):
        raise _unreadable(where, ValueError("it is no mapping"))
    return told


def checked(doc: Doc, where: str) -> Doc:
    """The record, which no reader need ask for its types any more; LedgerError where one is wrong."""
    try:
        return sound(doc)
    except (TypeError, ValueError) as error:
        raise _unreadable(where, error) from error


def _read(path: Path) -> Doc:
    try:
        # Of a pipe or a device the end may never come.
        return parsed(path.read_bytes() if path.is_file() else b"", str(path))
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _unreadable(where: str, error: Exception) -> LedgerError:
    return LedgerError(
        f"The record {where} cannot be read ({error}).", "It is only a record: remove that file."
    )
