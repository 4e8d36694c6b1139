from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import LedgerError
from state.store import FileStore

OLD, NEW = b"the old document", b"the new document, which is longer"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    kept = FileStore(tmp_path / "home" / "prod.json")
    kept.save(OLD)
    return kept


def test_what_was_saved_is_loaded(store: FileStore) -> None:
    store.save(NEW)

    assert FileStore(store.path).load() == NEW


def test_none_there_is_none_and_no_error(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "none.json")

    assert store.load() is None
    store.remove()


def test_what_was_removed_is_gone(store: FileStore) -> None:
    store.remove()

    assert store.load() is None


def test_only_its_owner_may_read_it(store: FileStore) -> None:
    previous = os.umask(0)
    try:
        store.save(NEW)
    finally:
        os.umask(previous)

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_save_leaves_nothing_else_behind(store: FileStore) -> None:
    store.save(NEW)

    assert os.listdir(store.path.parent) == ["prod.json"]


class Died(BaseException):
    """The process ended here: no handler of it ran."""


STEPS = ["open", "write", "fsync", "replace", "fsync of the folder"]


@pytest.fixture
def dies_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, BaseException], None]:
    """Make one step of a save raise instead."""

    def arm(step: str, error: BaseException) -> None:
        def fails(*_: Any, **__: Any) -> Any:
            raise error

        real = os.fsync

        def fsync(handle: int) -> None:
            is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            if is_folder == (step == "fsync of the folder"):
                raise error
            real(handle)

        if step == "open":
            monkeypatch.setattr(tempfile, "mkstemp", fails)
        elif step == "write":
            monkeypatch.setattr(os, "fdopen", fails)
        elif step == "replace":
            monkeypatch.setattr(os, "replace", fails)
        else:
            monkeypatch.setattr(os, "fsync", fsync)

    return arm


@pytest.mark.parametrize("step", STEPS)
def test_a_write_that_dies_anywhere_leaves_the_old_document_or_the_new_one(
    store: FileStore, dies_at: Callable[[str, BaseException], None], step: str
) -> None:
    dies_at(step, Died())

    with pytest.raises(Died):
        store.save(NEW)

    assert store.path.read_bytes() == (NEW if step == "fsync of the folder" else OLD)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_write_that_fails_says_so_and_what_to_do(
    store: FileStore, dies_at: Callable[[str, BaseException], None], step: str, number: int
) -> None:
    dies_at(step, OSError(number, os.strerror(number)))

    with pytest.raises(LedgerError) as caught:
        store.save(NEW)

    assert str(store.path) in caught.value.message
    assert os.strerror(number) in caught.value.message
    assert "Make room or give rights" in caught.value.hint
    assert store.path.read_bytes() in (OLD, NEW)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_no_draft(
    store: FileStore, dies_at: Callable[[str, BaseException], None], step: str
) -> None:
    dies_at(step, OSError(errno.ENOSPC, "full"))

    with pytest.raises(LedgerError):
        store.save(NEW)

    assert os.listdir(store.path.parent) == ["prod.json"]


def test_the_new_document_is_on_disk_before_it_takes_the_old_ones_place(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(handle: int) -> None:
        steps.append("fsync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "fsync file")
        fsync(handle)

    def noting_replace(source: str, target: str) -> None:
        steps.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    store.save(NEW)

    assert steps == ["fsync file", "replace", "fsync folder"]


def test_a_folder_that_is_a_file_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    store = FileStore(tmp_path / "home" / "prod.json")

    with pytest.raises(LedgerError, match="cannot be written"):
        store.save(NEW)
    with pytest.raises(LedgerError, match="cannot be read"):
        store.load()


def test_a_ledger_that_is_a_folder_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "prod.json").mkdir()
    store = FileStore(tmp_path / "prod.json")

    with pytest.raises(LedgerError, match="cannot be read"):
        store.load()
    with pytest.raises(LedgerError, match="cannot be written"):
        store.save(NEW)
