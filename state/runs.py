"""The records of earlier runs on this machine: one file per run, kept also after the stack is gone."""

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

# How many records are kept of each stack: the newest ones.
KEPT = 50

Doc = dict[str, Any]


@dataclass(frozen=True)
class Name:
    """The name of one run record: the stack, and the time in UTC at which the run began."""

    suffix: str
    run: str


class History(Protocol):
    """A readable collection of run records: the folder of this machine, or the store that a team shares."""

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""

    def names(self, suffix: str) -> list[Name]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""

    def read(self, name: Name) -> Doc:
        """Return one validated record.

        Raises:
            LedgerError: The record is damaged.

        """


@dataclass(frozen=True)
class Runs:
    """The run records of this machine, in one folder per stack."""

    folder: Path

    def new(self, suffix: str, at: float) -> FileStore:
        """Return the file for the record of a run that began at this wall-clock second.

        File names sort by time.
        """
        return FileStore(self.folder / suffix / f"{run_at(at)}.json", "record")

    def save(self, store: FileStore, doc: Doc) -> None:
        """Write a whole record, and delete the stack's oldest records."""
        store.save(text_of(doc))
        for old in self._paths(store.path.parent.name)[KEPT:]:
            old.unlink(missing_ok=True)
            _mark(old).unlink(missing_ok=True)

    def hold(self, store: FileStore, *, unsent: bool) -> None:
        """Mark or unmark a record as still to be copied to the shared store, by an empty file beside it."""
        with suppress(OSError):  # no run fails for the sake of this mark
            _mark(store.path).touch() if unsent else _mark(store.path).unlink(missing_ok=True)

    def unsent(self, suffix: str) -> list[Name]:
        """Return the records of a stack that are still to be copied to the shared store, oldest first."""
        return [name for name in reversed(self.names(suffix)) if _mark(self._path(name)).exists()]

    def sent(self, name: Name) -> None:
        """Note that a record has been copied to the shared store."""
        self.hold(FileStore(self._path(name)), unsent=False)

    def of(self, suffix: str) -> Iterator[Doc]:
        """Yield the records of one stack, newest first; skip those that are no valid JSON."""
        yield from self._readable(self._paths(suffix))

    def latest(self, count: int) -> Iterator[Doc]:
        """Yield the newest `count` records of all stacks, newest first; skip those that are no valid JSON."""
        yield from self._readable(self._paths("*")[:count])

    def _readable(self, paths: Iterable[Path]) -> Iterator[Doc]:
        for path in paths:
            with suppress(LedgerError):  # an unreadable record must not hide the others
                yield _read(path)

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""
        return sorted({path.parent.name for path in self._paths("*")})

    def names(self, suffix: str) -> list[Name]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""
        return [Name(path.parent.name, path.stem) for path in self._paths(suffix)]

    def read(self, name: Name) -> Doc:
        """Return one validated record.

        Raises:
            LedgerError: The record is damaged.

        """
        path = self._path(name)
        return checked(_read(path), str(path))

    def _path(self, name: Name) -> Path:
        return self.folder / name.suffix / f"{name.run}.json"

    def _paths(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"{suffix}/[0-9]*Z.json"), key=lambda path: path.name, reverse=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.unsent")


def run_at(at: float) -> str:
    """Return the name of a run that began at this wall-clock second."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}.{int(at * 1000) % 1000:03d}Z"


def text_of(doc: Doc) -> bytes:
    """Return the text of a record as it is stored: compact JSON."""
    return json.dumps(doc, separators=(",", ":"), default=str).encode()


def parsed(text: bytes, where: str) -> Doc:
    """Return the JSON object in `text`, not validated any further.

    Raises:
        LedgerError: The text does not hold a JSON object.

    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, error) from error
    if not isinstance(told, dict):
        raise _unreadable(where, ValueError("it is no mapping"))
    return told


def checked(doc: Doc, where: str) -> Doc:
    """Return the record if it is valid, so that its readers need not check any types.

    Raises:
        LedgerError: A field is missing, or has a wrong type or value.

    """
    try:
        return sound(doc)
    except (TypeError, ValueError) as error:
        raise _unreadable(where, error) from error


def _read(path: Path) -> Doc:
    try:
        # A pipe or a device is not read: its end may never come.
        return parsed(path.read_bytes() if path.is_file() else b"", str(path))
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _unreadable(where: str, error: Exception) -> LedgerError:
    return LedgerError(f"The record {where} cannot be read ({error}).", "It is only a record: remove that file.")
