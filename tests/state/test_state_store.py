from __future__ import annotations

import errno
import itertools
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock
from provisioner.names import WRITER
from state.backend import FileBackend
from state.errors import LockHeld, StateError
from state.stack_state import StackLocation as At
from state.stack_state import StackState
from state.state_store import VERSIONS_KEPT, FileStateStore, list_versions, save_version
from tests.support.shared_state import PLACES, Place, make_bucket, place_of

_NUMBERS = itertools.count()
OLD, NEW = b"the old document", b"the new document, which is longer"


@pytest.fixture
def store(tmp_path: Path) -> FileStateStore:
    kept = FileStateStore(tmp_path / "home" / "prod.json")
    kept.save(OLD)
    return kept


@pytest.fixture(scope="module")
def emulator_server(served: LocalAws) -> LocalAws:
    served.behave(behaviours=True, speed=0.0)
    served.reset()
    make_bucket(served)
    return served


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, emulator_server: LocalAws, tmp_path: Path) -> Place:
    return place_of(request.param, emulator_server, tmp_path / "team", f"{next(_NUMBERS)}")


def document(**more: Any) -> StackState:
    return StackState("prod", At("123456789012", "aws", "us-east-1"), **more)


def test_in_both_places_what_was_saved_is_loaded_until_it_is_removed(place: Place) -> None:
    store = place.archive.store("prod")
    assert (store.load(), place.archive.suffixes()) == (None, [])
    store.remove()
    for text in (OLD, NEW):
        store.save(text)
        assert (place.workspace.store("prod").load(), place.archive.suffixes()) == (text, ["prod"])

    store.remove()
    assert (place.workspace.store("prod").load(), place.archive.suffixes()) == (None, [])


def test_in_both_places_the_past_is_kept_and_only_so_much_of_it(place: Place) -> None:
    store = place.archive.store("prod")
    for serial in range(1, VERSIONS_KEPT + 3):
        save_version(store, document(serial=serial, lineage="abcdefgh-1"), WRITER)
    save_version(store, document(serial=serial, lineage="abcdefgh-1"), WRITER)

    kept = list_versions(store)
    assert [one.serial for one in kept] == list(range(3, VERSIONS_KEPT + 3))
    assert StackState.parse(store.load_version(kept[0].name) or b"", "x").serial == 3
    assert store.load_version("none") is None
    assert place.archive.suffixes() == []


def test_in_both_places_what_cannot_be_used_is_moved_and_not_lost(place: Place) -> None:
    store = place.archive.store("prod")
    store.save(OLD)

    aside = store.quarantine("20261123T000000Z")

    assert aside == f"{store.description}.aside-20261123T000000Z"
    assert store.load() is None
    assert place.archive.suffixes() == []
    store.save(NEW)
    assert store.load() == NEW


def test_in_both_places_reports_are_found_by_their_stack(place: Place) -> None:
    for suffix, stamp in (
        ("prod", "20261123T000002Z"),
        ("prod", "20261123T000001Z"),
        ("prod-2", "20261123T000003Z"),
    ):
        place.archive.report(suffix, stamp).save(f"{suffix} {stamp}".encode())

    assert [one.load() for one in place.archive.reports("prod")] == [
        b"prod 20261123T000001Z",
        b"prod 20261123T000002Z",
    ]


def test_a_claim_on_nothing_leaves_nothing(place: Place) -> None:
    store = place.archive.store("prod")
    store.load()
    assert store.claim(document().dump(WRITER))
    assert place.workspace.load_state("prod") is None
    store.release_claim()
    assert store.load() is None

    assert store.claim(document().dump(WRITER))
    store.save(document(serial=1).dump(WRITER))
    store.release_claim()
    assert store.load() is not None


@pytest.fixture
def shared(emulator_server: LocalAws, tmp_path: Path) -> Place:
    return place_of("bucket", emulator_server, tmp_path / "team", f"{next(_NUMBERS)}")


def test_a_claim_makes_every_earlier_write_fail(shared: Place) -> None:
    old, new = shared.archive.store("prod"), shared.workspace.store("prod")
    old.save(OLD)
    new.load()
    assert new.claim(NEW)

    act: Callable[[], None]
    for act in (lambda: old.save(b"late"), old.remove):
        with pytest.raises(LockHeld, match="another run"):
            act()
    assert old.claim(b"late") is False
    assert new.load() == NEW


def test_a_writer_that_never_looked_overwrites_nothing(shared: Place) -> None:
    shared.workspace.store("prod").save(OLD)

    with pytest.raises(LockHeld):
        shared.archive.store("prod").save(NEW)
    assert shared.workspace.store("prod").load() == OLD


@pytest.mark.parametrize("first", [True, False])
def test_a_write_whose_reply_was_lost_is_known_again(shared: Place, first: bool) -> None:
    """The second try of a write with If-Match or If-None-Match is answered 412: by our own first one."""
    assert shared.shelf
    store = shared.archive.store("prod")
    if not first:
        store.save(OLD)
    shared.shelf.faults = ["lost"]
    store.save(b"1")
    store.save(b"2")

    assert store.load() == b"2"


@pytest.mark.parametrize("fault", ["lost_reply", "reset", "503_before", "500_after", "throttle"])
@pytest.mark.parametrize("first", [True, False])
def test_s3_may_lose_a_reply_or_refuse_for_a_moment(
    shared: Place, emulator_server: LocalAws, fault: str, first: bool
) -> None:
    store = shared.archive.store("prod")
    if not first:
        store.save(OLD)
    emulator_server.faults({"operation": "s3:PutObject", "fault": fault})
    store.save(NEW)

    assert store.load() == NEW
    store.save(OLD)


def test_a_bucket_that_cannot_be_written_is_an_error_with_what_is_missing(
    shared: Place, emulator_server: LocalAws
) -> None:
    store = shared.archive.store("prod")
    emulator_server.faults({"operation": "s3:PutObject", "fault": "access_denied"})
    with pytest.raises(StateError) as caught:
        store.save(OLD)

    assert store.description in caught.value.message
    assert "s3:PutObject" in caught.value.hint


def test_what_was_saved_is_loaded(store: FileStateStore) -> None:
    store.save(NEW)

    assert FileStateStore(store.path).load() == NEW


def test_none_there_is_none_and_no_error(tmp_path: Path) -> None:
    store = FileStateStore(tmp_path / "none.json")

    assert store.load() is None
    store.remove()


def test_what_was_removed_is_gone(store: FileStateStore) -> None:
    store.remove()

    assert store.load() is None


def test_only_its_owner_may_read_it(store: FileStateStore) -> None:
    previous = os.umask(0)
    try:
        store.save(NEW)
    finally:
        os.umask(previous)

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_save_leaves_nothing_else_behind(store: FileStateStore) -> None:
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
    store: FileStateStore, dies_at: Callable[[str, BaseException], None], step: str
) -> None:
    dies_at(step, Died())

    with pytest.raises(Died):
        store.save(NEW)

    assert store.path.read_bytes() == (NEW if step == "fsync of the folder" else OLD)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_write_that_fails_says_so_and_what_to_do(
    store: FileStateStore, dies_at: Callable[[str, BaseException], None], step: str, number: int
) -> None:
    dies_at(step, OSError(number, os.strerror(number)))

    with pytest.raises(StateError) as caught:
        store.save(NEW)

    assert str(store.path) in caught.value.message
    assert os.strerror(number) in caught.value.message
    assert "Make room or give rights" in caught.value.hint
    assert store.path.read_bytes() in (OLD, NEW)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_no_draft(
    store: FileStateStore, dies_at: Callable[[str, BaseException], None], step: str
) -> None:
    dies_at(step, OSError(errno.ENOSPC, "full"))

    with pytest.raises(StateError):
        store.save(NEW)

    assert os.listdir(store.path.parent) == ["prod.json"]


def test_the_new_document_is_on_disk_before_it_takes_the_old_ones_place(
    store: FileStateStore, monkeypatch: pytest.MonkeyPatch
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
    store = FileStateStore(tmp_path / "home" / "prod.json")

    with pytest.raises(StateError, match="cannot be written"):
        store.save(NEW)
    with pytest.raises(StateError, match="cannot be read"):
        store.load()


def test_a_ledger_that_is_a_folder_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "prod.json").mkdir()
    store = FileStateStore(tmp_path / "prod.json")

    with pytest.raises(StateError, match="cannot be read"):
        store.load()
    with pytest.raises(StateError, match="cannot be written"):
        store.save(NEW)


def test_who_comes_by_a_link_meets_the_others_at_one_lock_and_writes_the_same_file(tmp_path: Path) -> None:
    real, link = tmp_path / "there" / "a.json", tmp_path / "a.json"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    straight, by_link = FileBackend(tmp_path, real), FileBackend(tmp_path, link)

    by_link.store("a").save(b"new")

    assert link.is_symlink()
    assert straight.store("a").load() == b"new"
    with straight.lock("a", "apply", 0, Clock()), pytest.raises(LockHeld):
        by_link.lock("a", "apply", 0, Clock()).__enter__()


def test_a_device_is_no_ledger_however_much_it_says() -> None:
    with pytest.raises(StateError, match="it is a device"):
        FileStateStore(Path("/dev/zero")).load()


@pytest.mark.parametrize("act", ["remove", "put_aside"])
def test_what_cannot_be_moved_is_an_error_with_a_hint(
    store: FileStateStore, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    store.save(b"whole")
    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "rename", refuse)

    with pytest.raises(StateError, match="Permission denied"):
        store.remove() if act == "remove" else store.quarantine("now")


def test_what_somebody_else_put_beside_the_past_documents_is_none_of_them(store: FileStateStore) -> None:
    save_version(store, document(serial=3), WRITER)
    (store.path.parent / "history" / "prod" / "notes.json").write_text("mine")

    assert [one.serial for one in list_versions(store)] == [3]
