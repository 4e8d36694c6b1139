"""The life of the box's process; it is started few times, for each start costs seconds."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioner.embedded import local
from provisioner.errors import ProvisionerError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("home")
    yield place
    local.stop(place)


@pytest.fixture(scope="module")
def started(home: Path) -> local.Local:
    """Two starts at once."""
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda pace: local.start(home, pace=pace), [0.5, 0.5])
    assert one == two
    return one


def test_start_is_idempotent(home: Path, started: local.Local) -> None:
    assert local.running(home) == started
    assert local.start(home, pace=1.0) == started
    assert started.pace == 0.5
    assert started.manners is True


def test_the_record_is_private_and_whole(home: Path, started: local.Local) -> None:
    assert stat.S_IMODE((home / local.STATE).stat().st_mode) == 0o600
    assert json.loads((home / local.STATE).read_text())["pid"] == started.pid


def test_it_leaves_our_terminal(started: local.Local) -> None:
    assert os.getsid(started.pid) == started.pid


def test_a_record_of_another_instance_is_stale(home: Path, started: local.Local, tmp_path: Path) -> None:
    record = json.loads((home / local.STATE).read_text())
    (tmp_path / local.STATE).write_text(json.dumps(record | {"instance": "another"}))
    assert local.running(tmp_path) is None


def test_a_record_of_a_dead_process_is_stale(home: Path, started: local.Local, tmp_path: Path) -> None:
    child = os.spawnlp(os.P_WAIT, "true", "true")
    assert child == 0
    record = json.loads((home / local.STATE).read_text())
    (tmp_path / local.STATE).write_text(json.dumps(record | {"pid": 2**22 - 1}))
    assert local.running(tmp_path) is None


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / local.STATE).write_text("{half")
    assert local.running(tmp_path) is None
    assert local.stop(tmp_path) is False


def test_a_taken_port_is_explained(started: local.Local, tmp_path: Path) -> None:
    port = int(started.endpoint.rpartition(":")[2])
    with pytest.raises(ProvisionerError) as caught:
        local.start(tmp_path, port=port)
    assert "in use" in caught.value.message
    assert "local.log" in caught.value.hint


def test_stop_ends_it(home: Path, started: local.Local) -> None:
    assert local.stop(home) is True
    assert local.running(home) is None
    assert local.stop(home) is False
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)
