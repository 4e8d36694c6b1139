"""A disk that is full, a folder that may not be written: said in words, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from provisioner.embedded.local import start
from provisioner.engine.clock import Clock
from provisioner.errors import LedgerError, ProvisionerError
from state.lock import FileLock
from state.runs import Runs
from state.store import FileStore
from tests.harness import Desk


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
        with pytest.raises(LedgerError, match=r"cannot be taken.*: No space left on device"), lock:
            pass

    with lock:
        assert lock.fence == 2, "the former signature is whole"
        lock.check()


def test_the_embedded_aws_without_a_folder_of_its_own_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ProvisionerError, match="cannot keep its files in") as caught:
        start(tmp_path / "file" / "home")

    assert "MLAPI_HOME" in caught.value.hint


def test_a_run_whose_record_cannot_be_ended_is_done_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    save = Runs.save

    def fails_at_the_end(runs: Runs, store: FileStore, doc: dict[str, Any]) -> None:
        if doc["end"]:
            raise store._unusable("written", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        save(runs, store, doc)

    monkeypatch.setattr(Runs, "save", fails_at_the_end)
    ran = desk.well("apply", "--yes", "--suffix", "prod", "--target", "vpc/vpc")

    assert "The record of this run is not whole. The record " in ran.err
    assert "The run itself is done." in ran.err
    assert desk.known("prod")["entries"]["vpc"]["phase"] == "ready"
