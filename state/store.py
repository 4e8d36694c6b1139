"""Where a ledger lives: one small protocol, and the file that keeps it on this machine."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from provisioner.errors import LedgerError

_DRAFT = ".draft"
KEPT = 20  # past documents


class Store(Protocol):
    """Keeps one document, and what it was before the last runs."""

    @property
    def where(self) -> str:
        """The place in words, for messages."""

    def load(self) -> bytes | None:
        """The document, or None where there is none yet."""

    def save(self, text: bytes) -> None:
        """Replace the document whole; when this returns, a crash can no longer lose it.

        LockHeld where another run has written since it was loaded here.
        """

    def remove(self) -> None:
        """Remove the document; none there is no error."""

    def claim(self, text: bytes) -> bool:
        """Under a new lock, make sure that nobody's earlier hold writes any more; False: load it again."""

    def disclaim(self) -> None:
        """Before the lock is given back, take away a claim that nothing was written over."""

    def put_aside(self, stamp: str) -> str:
        """Move the document out of the way, so that a new one can be written; where it is now."""

    def keep(self, version: str, text: bytes) -> None:
        """Keep a past document under that name, and of all that are kept the newest ones."""

    def rewrite(self, version: str, text: bytes) -> None:
        """Replace a past document that is kept."""

    def versions(self) -> list[str]:
        """The names of the past documents that are kept, oldest first."""

    def past(self, version: str) -> bytes | None:
        """A past document; None where none of that name is kept."""


class FileStore:
    """One document in one file, mode 0600, replaced by an atomic rename."""

    def __init__(self, path: Path, what: str = "state file") -> None:
        self.path = path
        self._what = what

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def load(self) -> bytes | None:
        """The file's bytes; LedgerError where it is there and cannot be read."""
        try:
            if self._is_device:  # its end may never come
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
        """Write beside the file, fsync, rename over it, fsync the folder.

        The lock's own check comes before: here nothing tells whether another has written since.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(text)
        except OSError as error:
            raise self._unusable("written", error) from error

    def claim(self, text: bytes) -> bool:  # noqa: ARG002 - the kernel has seen to it that others are gone
        """Remove the drafts that killed runs left: nobody is writing one now."""
        for draft in self.path.parent.glob(f".{self.path.name}.*{_DRAFT}"):
            with suppress(OSError):
                draft.unlink()
        return True

    def disclaim(self) -> None:
        """Nothing was claimed."""

    def put_aside(self, stamp: str) -> str:
        """Rename the file."""
        try:
            return str(self.path.rename(self.path.with_name(f"{self.path.name}.aside-{stamp}")))
        except OSError as error:
            raise self._unusable("put aside", error) from error

    def keep(self, version: str, text: bytes) -> None:
        """Write it into the folder of past documents, and remove the oldest ones from there."""
        FileStore(self._past / f"{version}.json").save(text)
        for name in self.versions()[:-KEPT]:
            FileStore(self._past / f"{name}.json").remove()

    def rewrite(self, version: str, text: bytes) -> None:
        """Replace its file."""
        FileStore(self._past / f"{version}.json").save(text)

    def versions(self) -> list[str]:
        """The files in the folder of past documents."""
        return sorted(path.stem for path in self._past.glob("*.json"))

    def past(self, version: str) -> bytes | None:
        """The bytes of one of them."""
        return FileStore(self._past / f"{version}.json").load() if version in self.versions() else None

    @property
    def _past(self) -> Path:
        return self.path.parent / "history" / self.path.stem

    def remove(self) -> None:
        """Remove the file; none there is no error."""
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
