"""A disk that is full, a folder that may not be written: said in words, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.local import start_emulator
from provisioner.engine.calls.clock import Clock
from state.errors import ProvisionerError, StateError
from state.lock import FileLock
from state.run_store import FileRunStore
from state.state_store import FileStateStore
from tests.support.user import User


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_lock_that_cannot_be_signed_is_refused_in_words_and_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = FileLock(tmp_path / "prod.lock", "apply", 0, Clock())
    with lock:
        pass
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StateError, match=r"cannot be taken.*: No space left on device"), lock:
            pass

    with lock:
        assert lock.fencing_token == 2, "the former signature is whole"
        lock.ensure_held()


def test_the_embedded_aws_without_a_folder_of_its_own_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ProvisionerError, match="cannot keep its files in") as caught:
        start_emulator(tmp_path / "file" / "home")

    assert "MLAPI_HOME" in caught.value.hint


def test_a_run_whose_record_cannot_be_ended_is_done_all_the_same(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    save = FileRunStore.save

    def fails_at_the_end(runs: FileRunStore, store: FileStateStore, doc: dict[str, Any]) -> None:
        if doc["end"]:
            raise store.access_error("written", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        save(runs, store, doc)

    monkeypatch.setattr(FileRunStore, "save", fails_at_the_end)
    ran = user.well("apply", "--yes", "--suffix", "prod", "--target", "vpc/vpc")

    assert "The record of this run is not whole. The record " in ran.err
    assert "The run itself is done." in ran.err
    assert user.known("prod")["entries"]["vpc"]["phase"] == "ready"
