"""The store of one stack's state: the protocol, and the store that is a file on this machine."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from provisioner.errors import LedgerError

_DRAFT = ".draft"
KEPT = 20  # earlier versions


class Store(Protocol):
    """The place of one stack's state and of its earlier versions."""

    @property
    def where(self) -> str:
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

    def disclaim(self) -> None:
        """Before the lock is released, delete a state that only `claim` has written."""

    def put_aside(self, stamp: str) -> str:
        """Move the state out of the way, so that a new one can be written, and return its new place."""

    def keep(self, version: str, text: bytes) -> None:
        """Save an earlier version under this name, and delete the oldest versions."""

    def rewrite(self, version: str, text: bytes) -> None:
        """Replace an earlier version that is kept."""

    def versions(self) -> list[str]:
        """Return the names of the earlier versions that are kept, oldest first."""

    def past(self, version: str) -> bytes | None:
        """Return the text of an earlier version, or None if none of that name is kept."""


class FileStore:
    """The state in one file, which is replaced by an atomic rename and has the mode 0600."""

    def __init__(self, path: Path, what: str = "state file") -> None:
        self.path = path
        self._what = what

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def load(self) -> bytes | None:
        """Return the file's bytes, or None if there is no file.

        Raises:
            LedgerError: The file exists but cannot be read.

        """
        try:
            if self._is_device:  # reading one may never end
                raise self._unusable("read", OSError("it is a device, and no file"))
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable("read", error) from error

    @property
    def _is_device(self) -> bool:
        return self.path.exists() and not self.path.is_file() and not self.path.is_dir()

    def save(self, text: bytes) -> None:
        """Write a draft beside the file, fsync it, rename it over the file, and fsync the folder.

        Nothing here detects that another run has written since: the lock is checked before.

        Raises:
            LedgerError: The file cannot be written.

        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(text)
        except OSError as error:
            raise self._unusable("written", error) from error

    def claim(self, text: bytes) -> bool:  # noqa: ARG002 - the kernel's lock keeps all other runs out
        """Delete the drafts that killed runs left: under the lock, no other run is writing one."""
        for draft in self.path.parent.glob(f".{self.path.name}.*{_DRAFT}"):
            with suppress(OSError):
                draft.unlink()
        return True

    def disclaim(self) -> None:
        """Do nothing: `claim` has written no state."""

    def put_aside(self, stamp: str) -> str:
        """Rename the file, and return its new path."""
        try:
            return str(self.path.rename(self.path.with_name(f"{self.path.name}.aside-{stamp}")))
        except OSError as error:
            raise self._unusable("put aside", error) from error

    def keep(self, version: str, text: bytes) -> None:
        """Save an earlier version in the folder `history`, and delete the oldest versions there."""
        FileStore(self._past / f"{version}.json").save(text)
        for name in self.versions()[:-KEPT]:
            FileStore(self._past / f"{name}.json").remove()

    def rewrite(self, version: str, text: bytes) -> None:
        """Replace the file of an earlier version."""
        FileStore(self._past / f"{version}.json").save(text)

    def versions(self) -> list[str]:
        """Return the names of the files in the folder `history`, oldest first."""
        return sorted(path.stem for path in self._past.glob("*.json"))

    def past(self, version: str) -> bytes | None:
        """Return the bytes of one earlier version, or None if there is none of that name."""
        return FileStore(self._past / f"{version}.json").load() if version in self.versions() else None

    @property
    def _past(self) -> Path:
        return self.path.parent / "history" / self.path.stem

    def remove(self) -> None:
        """Delete the file; a missing one is no error."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable("removed", error) from error

    def _replace(self, text: bytes) -> None:
        handle, draft = tempfile.mkstemp(_DRAFT, f".{self.path.name}.", self.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
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

    def _unusable(self, verb: str, error: OSError) -> LedgerError:
        return LedgerError(
            f"The {self._what} {self.path} cannot be {verb}: {error.strerror or error}.",
            "Nothing more is called in AWS until it can. Make room or give rights there, then run the same "
            "command again: what was done is recorded up to the last call.",
        )
