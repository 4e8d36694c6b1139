"""The records of earlier runs: a file each in a folder, and an object each where a team shares its state."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from state.errors import StateError
from state.object_store import ObjectStateStore, ObjectStore
from state.run_record import validate_run_record
from state.state_store import FileStateStore

# How many records are kept of each stack: the newest ones.
RUNS_KEPT = 50
_KEY_PARTS = 2  # of a key in a shared store: the stack and the run

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class RunId:
    """The name of one run record: the stack, and the time in UTC at which the run began."""

    suffix: str
    run: str


class RunHistory(Protocol):
    """A readable collection of run records: the folder of this machine, or the store that a team shares."""

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""

    def run_ids(self, suffix: str) -> list[RunId]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""

    def read(self, run_id: RunId) -> JsonObject:
        """Return one validated record.

        Raises:
            StateError: The record is damaged.

        """


@dataclass(frozen=True)
class FileRunStore:
    """The run records of this machine, in one folder per stack."""

    folder: Path

    def new_record(self, suffix: str, at: float) -> FileStateStore:
        """Return the file for the record of a run that began at this wall-clock second.

        File names sort by time.
        """
        return FileStateStore(self.folder / suffix / f"{run_name_at(at)}.json", "record")

    def save(self, store: FileStateStore, record: JsonObject) -> None:
        """Write a whole record, and delete the stack's oldest records."""
        store.save(encode_run_record(record))
        for oldest in self._paths(store.path.parent.name)[RUNS_KEPT:]:
            oldest.unlink(missing_ok=True)
            _unsent_marker(oldest).unlink(missing_ok=True)

    def mark_unsent(self, store: FileStateStore, *, unsent: bool) -> None:
        """Mark or unmark a record as still to be copied to the shared store, by an empty file beside it."""
        with suppress(OSError):  # no run fails for the sake of this mark
            _unsent_marker(store.path).touch() if unsent else _unsent_marker(store.path).unlink(missing_ok=True)

    def unsent_runs(self, suffix: str) -> list[RunId]:
        """Return the records of a stack that are still to be copied to the shared store, oldest first."""
        return [run_id for run_id in reversed(self.run_ids(suffix)) if _unsent_marker(self._path(run_id)).exists()]

    def mark_sent(self, run_id: RunId) -> None:
        """Note that a record has been copied to the shared store."""
        self.mark_unsent(FileStateStore(self._path(run_id)), unsent=False)

    def records_of(self, suffix: str) -> Iterator[JsonObject]:
        """Yield the records of one stack, newest first; skip those that are no valid JSON."""
        yield from self._readable_records(self._paths(suffix))

    def latest_records(self, count: int) -> Iterator[JsonObject]:
        """Yield the newest `count` records of all stacks, newest first; skip those that are no valid JSON."""
        yield from self._readable_records(self._paths("*")[:count])

    def _readable_records(self, paths: Iterable[Path]) -> Iterator[JsonObject]:
        for path in paths:
            with suppress(StateError):  # an unreadable record must not hide the others
                yield _read_json_object(path)

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""
        return sorted({path.parent.name for path in self._paths("*")})

    def run_ids(self, suffix: str) -> list[RunId]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""
        return [RunId(path.parent.name, path.stem) for path in self._paths(suffix)]

    def read(self, run_id: RunId) -> JsonObject:
        """Return one validated record.

        Raises:
            StateError: The record is damaged.

        """
        path = self._path(run_id)
        return check_run_record(_read_json_object(path), str(path))

    def _path(self, run_id: RunId) -> Path:
        return self.folder / run_id.suffix / f"{run_id.run}.json"

    def _paths(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"{suffix}/[0-9]*Z.json"), key=lambda path: path.name, reverse=True)


def _unsent_marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.unsent")


def run_name_at(at: float) -> str:
    """Return the name of a run that began at this wall-clock second."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}.{int(at * 1000) % 1000:03d}Z"


def encode_run_record(record: JsonObject) -> bytes:
    """Return the text of a record as it is stored: compact JSON."""
    return json.dumps(record, separators=(",", ":"), default=str).encode()


def parse_json_object(text: bytes, description: str) -> JsonObject:
    """Return the JSON object in `text`, not validated any further.

    Raises:
        StateError: The text does not hold a JSON object.

    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable_record_error(description, error) from error
    if not isinstance(fields, dict):
        raise _unreadable_record_error(description, ValueError("it is not a JSON object"))
    return fields


def check_run_record(record: JsonObject, description: str) -> JsonObject:
    """Return the record if it is valid, so that its readers need not check any types.

    Raises:
        StateError: A field is missing, or has a wrong type or value.

    """
    try:
        return validate_run_record(record)
    except (TypeError, ValueError) as error:
        raise _unreadable_record_error(description, error) from error


def _read_json_object(path: Path) -> JsonObject:
    try:
        # A pipe or a device is not read: its end may never come.
        return parse_json_object(path.read_bytes() if path.is_file() else b"", str(path))
    except OSError as error:
        raise _unreadable_record_error(str(path), error) from error


def _unreadable_record_error(description: str, error: Exception) -> StateError:
    return StateError(f"The record {description} cannot be read ({error}).", "It is only a record: remove that file.")


@dataclass(frozen=True)
class S3RunStore:
    """The run records of a team: one object per run, under a prefix that ends in a slash."""

    object_store: ObjectStore
    root: str
    prefix: str

    def new_record(self, suffix: str, at: float) -> ObjectStateStore:
        """Return the store for the record of a run that began at this wall-clock second."""
        return self._record_store(RunId(suffix, run_name_at(at)))

    def save(self, store: ObjectStateStore, record: JsonObject) -> None:
        """Write a record; it may only replace a record that this run has written before."""
        store.save(encode_run_record(record))

    def upload(self, run_id: RunId, record: JsonObject) -> None:
        """Write a record, whether one of that name exists or not."""
        store = self._record_store(run_id)
        store.load()
        store.save(encode_run_record(record))

    def prune(self, suffix: str) -> None:
        """Delete the oldest records of a stack."""
        for oldest in map(self._record_store, self.run_ids(suffix)[RUNS_KEPT:]):
            oldest.load()
            oldest.remove()

    def suffixes(self) -> list[str]:
        """Return the suffixes of the stacks that have records, also of those that no longer exist."""
        return sorted({run_id.suffix for run_id in self.run_ids("*")})

    def run_ids(self, suffix: str) -> list[RunId]:
        """Return the names of a stack's records, newest first; `*` stands for all stacks."""
        key_prefix = self.prefix if suffix == "*" else f"{self.prefix}{suffix}/"
        keys = [key.removeprefix(self.prefix) for key in self.object_store.list_keys(key_prefix)]
        pairs = [key.removesuffix(".json").split("/") for key in keys if key.endswith("Z.json")]
        return sorted((RunId(*pair) for pair in pairs if len(pair) == _KEY_PARTS), key=_started_at, reverse=True)

    def read(self, run_id: RunId) -> JsonObject:
        """Return one validated record.

        Raises:
            StateError: The record is damaged.

        """
        store = self._record_store(run_id)
        return check_run_record(parse_json_object(store.load() or b"", store.description), store.description)

    def _record_store(self, run_id: RunId) -> ObjectStateStore:
        return ObjectStateStore(self.object_store, self.root, f"{self.prefix}{run_id.suffix}/{run_id.run}.json", "")


def _started_at(run_id: RunId) -> str:
    return run_id.run
