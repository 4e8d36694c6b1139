"""Where a ledger lives: one small protocol, and the file that keeps it on this machine."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from provisioner.errors import LedgerError

_DRAFT = ".draft"


class Store(Protocol):
    """Keeps one document."""

    @property
    def where(self) -> str:
        """The place in words, for messages."""

    def load(self) -> bytes | None:
        """The document, or None where there is none yet."""

    def save(self, text: bytes) -> None:
        """Replace the document whole; when this returns, a crash can no longer lose it."""

    def remove(self) -> None:
        """Remove the document; none there is no error."""


class FileStore:
    """One document in one file, mode 0600, replaced by an atomic rename."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def load(self) -> bytes | None:
        """The file's bytes; LedgerError where it is there and cannot be read."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable("read", error) from error

    def save(self, text: bytes) -> None:
        """Write beside the file, fsync, rename over it, fsync the folder."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(text)
        except OSError as error:
            raise self._unusable("written", error) from error

    def tidy(self) -> None:
        """Remove the drafts that killed runs left; only under the lock, where nobody is writing one."""
        for draft in self.path.parent.glob(f".{self.path.name}.*{_DRAFT}"):
            with suppress(OSError):
                draft.unlink()

    def remove(self) -> None:
        """Remove the file; none there is no error."""
        with suppress(FileNotFoundError):
            self.path.unlink()

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
            f"The state file {self.path} cannot be {verb}: {error.strerror or error}.",
            "Nothing more is called in AWS until it can. Make room or give rights there, then run the same "
            "command again: what was done is recorded up to the last call.",
        )
