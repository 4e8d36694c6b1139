"""An object store with compare-and-swap, S3 for one, and a state that is kept in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from state.errors import LockHeld, ProvisionerError
from state.state_store import VERSIONS_KEPT


class WriteConflict(Exception):
    """The object is not the version that the writer named; nothing was changed."""


@dataclass(frozen=True)
class StoredObject:
    """An object as it was read: its text, the ETag of this version, and its age in seconds.

    The age is measured by the store's own clock, so that clocks that differ do no harm; it may be off by a
    second.
    """

    body: bytes
    etag: str
    age_seconds: float


class ObjectStore(Protocol):
    """A store of texts by key; each operation is atomic, and every reader sees it at once."""

    def get(self, key: str) -> StoredObject | None:
        """Return the object under `key`, or None if there is none."""

    def put(self, key: str, text: bytes, expected_etag: str | None) -> str:
        """Write an object over the version with the ETag `expected_etag`, and return the new ETag.

        With `expected_etag` as None, the object is created.

        Raises:
            WriteConflict: The stored object is another version; for None, there is one already.

        """

    def delete(self, key: str, etag: str) -> None:
        """Delete the version of an object that has the ETag `etag`; a missing object is no error.

        Raises:
            WriteConflict: The stored object is another version.

        """

    def list_keys(self, prefix: str) -> list[str]:
        """Return every key that begins with `prefix`, sorted."""


def put_once(object_store: ObjectStore, key: str, text: bytes, expected_etag: str | None) -> str:
    """Write an object as `ObjectStore.put` does, and recognise this caller's own earlier write after a lost reply.

    A write whose reply was lost is sent again, and then conflicts with itself. It has succeeded if the stored
    text is the same: no text is written twice, because each holds a number that grows.

    Raises:
        WriteConflict: The stored object is another version, written by somebody else.

    """
    try:
        return object_store.put(key, text, expected_etag)
    except WriteConflict:
        stored = object_store.get(key)
        if stored is None or stored.body != text:
            raise
        return stored.etag


class ObjectStateStore:
    """One state as one object; its earlier versions are objects under the prefix `versions_prefix`."""

    def __init__(self, object_store: ObjectStore, description: str, key: str, versions_prefix: str) -> None:
        self._object_store = object_store
        self._root = description
        self._key = key
        self._versions_prefix = versions_prefix
        self._etag: str | None = None
        self._claimed = False

    @property
    def description(self) -> str:
        """The address of the object."""
        return f"{self._root}{self._key}"

    def load(self) -> bytes | None:
        """Return the stored text, or None; the next save replaces this version only."""
        stored = self._object_store.get(self._key)
        self._etag = stored.etag if stored else None
        return stored.body if stored else None

    def save(self, text: bytes) -> None:
        """Replace the version that was loaded or written last.

        Raises:
            LockHeld: Another run has written the object since.

        """
        try:
            self._etag = put_once(self._object_store, self._key, text, self._etag)
        except WriteConflict as conflict:
            raise self._conflict_error() from conflict
        self._claimed = False

    def remove(self) -> None:
        """Delete the version that was loaded or written last.

        Raises:
            LockHeld: Another run has written the object since.

        """
        etag, self._claimed = self._etag, False
        if etag is None:
            return
        try:
            self._object_store.delete(self._key, etag)
        except WriteConflict as conflict:
            raise self._conflict_error() from conflict
        self._etag = None

    def claim(self, text: bytes) -> bool:
        """Write the state with the new holder's fencing number.

        From then on, all writes of an earlier holder fail with a conflict. Return False if the state was
        written since it was loaded.
        """
        is_new = self._etag is None
        try:
            self._etag = put_once(self._object_store, self._key, text, self._etag)
        except WriteConflict:
            return False
        self._claimed = is_new
        return True

    def release_claim(self) -> None:
        """Delete the object if it was created by `claim` and nothing was saved over it."""
        # A claim alone is not a state. If it cannot be deleted, another run has taken it over, or it does no
        # harm.
        with suppress(ProvisionerError):
            if self._claimed:
                self.remove()

    def quarantine(self, stamp: str) -> str:
        """Move the object to a key of its own, and return its new address."""
        quarantined = ObjectStateStore(
            self._object_store, self._root, f"{self._key}.aside-{stamp}", self._versions_prefix
        )
        quarantined.save(self.load() or b"")
        self.remove()
        return quarantined.description

    def save_version(self, version: str, text: bytes) -> None:
        """Save an earlier version under a key of its own, and delete the oldest versions."""
        self._version_store(version).save(text)
        for name in self.version_names()[:-VERSIONS_KEPT]:
            oldest = self._version_store(name)
            oldest.load()
            oldest.remove()

    def rewrite_version(self, version: str, text: bytes) -> None:
        """Replace an earlier version that is kept."""
        store = self._version_store(version)
        store.load()
        store.save(text)

    def version_names(self) -> list[str]:
        """Return the names of the earlier versions that are kept, oldest first."""
        return [
            key.removeprefix(self._versions_prefix).removesuffix(".json")
            for key in self._object_store.list_keys(self._versions_prefix)
        ]

    def load_version(self, version: str) -> bytes | None:
        """Return the text of one earlier version, or None."""
        return self._version_store(version).load()

    def _version_store(self, version: str) -> ObjectStateStore:
        return ObjectStateStore(self._object_store, self._root, f"{self._versions_prefix}{version}.json", "")

    def _conflict_error(self) -> LockHeld:
        return LockHeld(
            f"The state {self.description} was written by another run while this one worked.",
            "Nothing was written over it. When the other run has ended, run the same command again: it goes "
            "on from there.",
        )
