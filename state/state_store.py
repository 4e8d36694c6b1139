"""Where a state is loaded and saved, the file on this machine, and its earlier versions."""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from state.errors import StateError
from state.stack_state import SCHEMA, StackState

_DRAFT_SUFFIX = ".draft"
VERSIONS_KEPT = 20  # earlier versions


class StateStore(Protocol):
    """The place of one stack's state and of its earlier versions."""

    @property
    def description(self) -> str:
        """The path or address, as it is shown in messages."""

    def load(self) -> bytes | None:
        """Return the text of the state, or None if there is none yet."""

    def save(self, text: bytes) -> None:
        """Replace the whole state; when this returns, a crash can no longer lose it.

        Raises:
            LockHeld: Another run has written the state since it was loaded here.

        """

    def remove(self) -> None:
        """Delete the state; a missing one is no error."""

    def claim(self, text: bytes) -> bool:
        """Make sure, under a new lock, that no earlier holder can write any more.

        Return False if the state was written since it was loaded: then it must be loaded again.
        """

    def release_claim(self) -> None:
        """Before the lock is released, delete a state that only `claim` has written."""

    def quarantine(self, stamp: str) -> str:
        """Move the state out of the way, so that a new one can be written, and return its new place."""

    def save_version(self, version: str, text: bytes) -> None:
        """Save an earlier version under this name, and delete the oldest versions."""

    def rewrite_version(self, version: str, text: bytes) -> None:
        """Replace an earlier version that is kept."""

    def version_names(self) -> list[str]:
        """Return the names of the earlier versions that are kept, oldest first."""

    def load_version(self, version: str) -> bytes | None:
        """Return the text of an earlier version, or None if none of that name is kept."""


class FileStateStore:
    """The state in one file, which is replaced by an atomic rename and has the mode 0600."""

    def __init__(self, path: Path, noun: str = "state file") -> None:
        self.path = path
        self._noun = noun

    @property
    def description(self) -> str:
        """The file's path."""
        return str(self.path)

    def load(self) -> bytes | None:
        """Return the file's bytes, or None if there is no file.

        Raises:
            StateError: The file exists but cannot be read.

        """
        try:
            if self._is_device:  # reading one may never end
                raise self.access_error("read", OSError("it is a device, and no file"))
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.access_error("read", error) from error

    @property
    def _is_device(self) -> bool:
        return self.path.exists() and not self.path.is_file() and not self.path.is_dir()

    def save(self, text: bytes) -> None:
        """Write a draft beside the file, fsync it, rename it over the file, and fsync the folder.

        Nothing here detects that another run has written since: the lock is checked before.

        Raises:
            StateError: The file cannot be written.

        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(text)
        except OSError as error:
            raise self.access_error("written", error) from error

    def claim(self, text: bytes) -> bool:  # noqa: ARG002 - the kernel's lock keeps all other runs out
        """Delete the drafts that killed runs left: under the lock, no other run is writing one."""
        for draft in self.path.parent.glob(f".{self.path.name}.*{_DRAFT_SUFFIX}"):
            with suppress(OSError):
                draft.unlink()
        return True

    def release_claim(self) -> None:
        """Do nothing: `claim` has written no state."""

    def quarantine(self, stamp: str) -> str:
        """Rename the file, and return its new path."""
        try:
            return str(self.path.rename(self.path.with_name(f"{self.path.name}.aside-{stamp}")))
        except OSError as error:
            raise self.access_error("put aside", error) from error

    def save_version(self, version: str, text: bytes) -> None:
        """Save an earlier version in the folder `history`, and delete the oldest versions there."""
        FileStateStore(self._versions_folder / f"{version}.json").save(text)
        for name in self.version_names()[:-VERSIONS_KEPT]:
            FileStateStore(self._versions_folder / f"{name}.json").remove()

    def rewrite_version(self, version: str, text: bytes) -> None:
        """Replace the file of an earlier version."""
        FileStateStore(self._versions_folder / f"{version}.json").save(text)

    def version_names(self) -> list[str]:
        """Return the names of the files in the folder `history`, oldest first."""
        return sorted(path.stem for path in self._versions_folder.glob("*.json"))

    def load_version(self, version: str) -> bytes | None:
        """Return the bytes of one earlier version, or None if there is none of that name."""
        return (
            FileStateStore(self._versions_folder / f"{version}.json").load()
            if version in self.version_names()
            else None
        )

    @property
    def _versions_folder(self) -> Path:
        return self.path.parent / "history" / self.path.stem

    def remove(self) -> None:
        """Delete the file; a missing one is no error."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self.access_error("removed", error) from error

    def _replace(self, text: bytes) -> None:
        descriptor, draft = tempfile.mkstemp(_DRAFT_SUFFIX, f".{self.path.name}.", self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path)
        except OSError:
            with suppress(OSError):
                os.unlink(draft)
            raise
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def access_error(self, verb: str, error: OSError) -> StateError:
        """Return the error that the file cannot be read, written, put aside or removed: `verb` says which."""
        return StateError(
            f"The {self._noun} {self.path} cannot be {verb}: {error.strerror or error}.",
            "Nothing more is called in AWS until it can. Make room or give rights there, then run the same "
            "command again: what was done is recorded up to the last call.",
        )


_VERSION_NAME = re.compile(r"\d{8}T\d{6}Z-\d+-\w+")


@dataclass(frozen=True)
class StateVersion:
    """The parts of one earlier version's name."""

    name: str
    saved_at: str = field(metadata={"json": "kept"})
    serial: int
    lineage: str

    @classmethod
    def parse(cls, name: str) -> StateVersion:
        """Return the parts of this name."""
        saved_at, _, rest = name.partition("-")
        serial, _, lineage = rest.partition("-")
        return cls(name, saved_at, int(serial), lineage)


def save_version(store: StateStore, state: StackState, writer: str) -> None:
    """Save the state as an earlier version, unless it is the newest one that is saved already.

    If the state was read from an older schema, all saved versions are rewritten in this one first, because
    the older schema held values in clear. `writer` is the name and version of this program.
    """
    if state.loaded_schema != SCHEMA:
        _rewrite_versions(store, writer)
    name_end = f"-{state.serial:06d}-{state.lineage[:8]}"
    names = store.version_names()
    if not names or not names[-1].endswith(name_end):
        store.save_version(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + name_end, state.dump(writer))


def _rewrite_versions(store: StateStore, writer: str) -> None:
    """Rewrite each saved version in the newest schema, under its own name; leave a damaged one as it is."""
    for name in store.version_names():
        with suppress(StateError):
            store.rewrite_version(name, StackState.parse(store.load_version(name) or b"", name).dump(writer))


def list_versions(store: StateStore) -> list[StateVersion]:
    """Return the earlier versions that are saved, oldest first."""
    return [StateVersion.parse(name) for name in store.version_names() if _VERSION_NAME.fullmatch(name)]
