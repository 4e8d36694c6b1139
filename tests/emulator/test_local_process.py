"""The life of the box's process; it is started few times, for each start costs seconds."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioner.emulator import local
from provisioner.emulator.control_client import STATE
from provisioner.emulator.server import LocalAws
from state.errors import ProvisionerError


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("home")
    yield place
    local.stop_emulator(place)


@pytest.fixture(scope="module")
def started(home: Path) -> local.RunningEmulator:
    """Two starts at once."""
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda pace: local.start_emulator(home, speed=pace), [0.5, 0.5])
    assert one == two
    return one


def test_start_is_idempotent(home: Path, started: local.RunningEmulator) -> None:
    assert local.running_emulator(home) == started
    assert local.start_emulator(home, speed=1.0) == started
    assert started.speed == 0.5
    assert started.behaviours is True


def test_the_record_is_private_and_whole(home: Path, started: local.RunningEmulator) -> None:
    assert stat.S_IMODE((home / STATE).stat().st_mode) == 0o600
    assert json.loads((home / STATE).read_text())["pid"] == started.pid


def test_it_leaves_our_terminal(started: local.RunningEmulator) -> None:
    assert os.getsid(started.pid) == started.pid


def test_a_record_of_another_instance_is_stale(home: Path, started: local.RunningEmulator, tmp_path: Path) -> None:
    record = json.loads((home / STATE).read_text())
    (tmp_path / STATE).write_text(json.dumps(record | {"instance": "another"}))
    assert local.running_emulator(tmp_path) is None


def test_a_record_of_a_dead_process_is_stale(home: Path, started: local.RunningEmulator, tmp_path: Path) -> None:
    child = os.spawnlp(os.P_WAIT, "true", "true")
    assert child == 0
    record = json.loads((home / STATE).read_text())
    (tmp_path / STATE).write_text(json.dumps(record | {"pid": 2**22 - 1}))
    assert local.running_emulator(tmp_path) is None


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("{half")
    assert local.running_emulator(tmp_path) is None
    assert local.stop_emulator(tmp_path) is False


def test_a_taken_port_is_explained(started: local.RunningEmulator, tmp_path: Path) -> None:
    port = int(started.endpoint.rpartition(":")[2])
    with pytest.raises(ProvisionerError) as caught:
        local.start_emulator(tmp_path, port=port)
    assert "in use" in caught.value.message
    assert "local.log" in caught.value.hint


def test_stop_ends_it(home: Path, started: local.RunningEmulator) -> None:
    assert local.stop_emulator(home) is True
    assert local.running_emulator(home) is None
    assert local.stop_emulator(home) is False
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no emulator."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_stop_signals_no_process_that_does_not_say_it_is_the_emulator(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """The file of an emulator that has ended, whose number and port are others' by now."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        stale = {
            "endpoint": f"http://127.0.0.1:{mute.getsockname()[1]}",
            "pid": bystander.pid,
            "instance": "i",
        }
        stale |= {"pace": 0.0, "manners": True, "started": "then", "token": "t"}
        (tmp_path / STATE).write_text(json.dumps(stale))
        mute.close()
        assert local.unresponsive_process(tmp_path) == bystander.pid
        assert local.stop_emulator(tmp_path) is False
    assert bystander.poll() is None
    assert not (tmp_path / STATE).exists()


def test_stop_signals_no_process_but_the_one_that_answers(
    emulator_server: LocalAws, tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """An emulator answers, and right, and the file names another process."""
    told = {
        "endpoint": emulator_server.endpoint,
        "instance": emulator_server.emulator.instance,
        "token": emulator_server.emulator.token,
        "pid": bystander.pid,
    }
    told |= {"pace": 0.0, "manners": True, "started": "then"}
    (tmp_path / STATE).write_text(json.dumps(told))

    assert local.running_emulator(tmp_path) is None
    assert local.stop_emulator(tmp_path) is False
    assert bystander.poll() is None


@pytest.mark.parametrize(
    "changed",
    [{"token": "another"}, {"instance": "another"}, {"pid": 0}, {"pid": -1}, {"pid": True}, {"pid": "1"}],
)
def test_a_file_that_is_not_of_this_emulator_counts_for_none(
    emulator_server: LocalAws, tmp_path: Path, changed: dict[str, object]
) -> None:
    told = {
        "endpoint": emulator_server.endpoint,
        "instance": emulator_server.emulator.instance,
        "token": emulator_server.emulator.token,
        "pid": os.getpid(),
    }
    told |= {"pace": 0.0, "manners": True, "started": "then"}
    (tmp_path / STATE).write_text(json.dumps(told))
    assert local.running_emulator(tmp_path)

    (tmp_path / STATE).write_text(json.dumps(told | changed))

    assert local.running_emulator(tmp_path) is None
    assert local.stop_emulator(tmp_path) is False


def test_the_file_of_another_user_is_not_believed(
    emulator_server: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / STATE).write_text("{}")
    monkeypatch.setattr(os, "getuid", lambda: 12345)

    for ask in (local.running_emulator, local.stop_emulator, local.start_emulator):
        with pytest.raises(ProvisionerError, match="another user's") as caught:
            ask(tmp_path)
        assert "MLAPI_HOME" in caught.value.hint
    assert (tmp_path / STATE).exists()
