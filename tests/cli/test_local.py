"""`local start|stop|status`, and `--local` that starts the local AWS when it is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock
from provisioner.workspace import Workspace
from tests.support.user import User


@pytest.fixture
def alone(served: LocalAws, tmp_path: Path) -> Iterator[User]:
    """A user for whom no local AWS runs yet; the one that is started ends with the test."""
    user = User(served, tmp_path / "home")
    yield user
    user.process("local", "stop")


def is_running(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has taken note of yet has."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip()[:1] not in ("", "Z")


def test_it_starts_once_lives_on_and_stops(alone: User) -> None:
    assert alone.process("local", "status").code == 1

    started = alone.process("local", "start")
    assert started.code == 0, started.err
    endpoint, pid = re.findall(r"(http://127\.0\.0\.1:\d+) \(process (\d+)", started.out)[0]
    assert alone.process("local", "start").out == started.out
    status = alone.process("local", "status")
    assert status.code == 0
    assert endpoint in status.out
    told = alone.process("local", "status", "--json").lines[0]
    assert told["endpoint"] == endpoint
    assert (told["running"], told["pace"], told["manners"]) == (True, 0.0, True)
    assert alone.process("local", "start", "--speed", "0.5").code == 64
    port = int(endpoint.rpartition(":")[2])
    assert alone.process("local", "start", "--port", str(port)).code == 0
    elsewhere = alone.process("local", "start", "--port", str(port + 1))
    assert elsewhere.code == 64
    assert f"runs already at {endpoint}," in elsewhere.err
    renamed = alone.process("local", "start", "--pace", "0.5")
    assert (renamed.code, renamed.err.splitlines()[0]) == (64, "--pace is called --speed now.")

    assert alone.process("local", "stop").code == 0
    assert not is_running(int(pid))
    assert alone.process("local", "status").code == 1
    assert "not running" in alone.process("local", "stop").out


def test_a_stack_lives_between_commands_and_ends_with_the_embedded_aws(alone: User) -> None:
    applied = alone.process("apply", "--local", "--yes", "--suffix", "a")
    assert applied.code == 0, applied.err
    planned = alone.process("plan", "--local", "--suffix", "a")
    assert planned.out == "No changes.\n"

    alone.process("local", "stop")

    assert alone.process("list").out.split() == ["suffix", "account", "region", "resources"]
    again = alone.process("plan", "--local", "--suffix", "a")
    assert again.code == 0, again.err
    assert re.search(r"Plan: \d\d to add, 0 to change", again.out)


@pytest.mark.slow
def test_it_is_not_stopped_under_a_run(alone: User) -> None:
    applied = alone.process("apply", "--local", "--yes", "--suffix", "a", "-q")
    assert applied.code == 0, applied.err
    workspace = Workspace(alone.home, is_local=True)

    with workspace.lock("a", "apply", 0, Clock()):
        stopped = alone.process("local", "stop")

    assert stopped.code == 7
    assert "`apply`" in stopped.err
    assert alone.process("local", "status").code == 0


def test_names_and_an_address_are_asked_for_and_kept(alone: User) -> None:
    started = alone.process("local", "start", "--host", "aws", "--host", "ci.example", "--address", "0.0.0.0")
    assert started.code == 0, started.err
    assert "hosts aws, ci.example, listening at 0.0.0.0" in started.out
    assert alone.process("local", "start").code == 0
    assert alone.process("local", "start", "--host", "other").code == 64


@pytest.mark.parametrize(
    "wrong",
    [
        ("--host", "http://aws"),
        ("--host", "aws:4566"),
        ("--host", "*"),
        ("--host", ""),
        ("--host", "a b"),
        ("--address", "aws"),
    ],
)
def test_a_name_that_is_none_is_refused_before_anything_starts(alone: User, wrong: tuple[str, str]) -> None:
    ran = alone.run("local", "start", *wrong, local=False)

    assert ran.code == 64
    assert wrong[0] in ran.err
    assert alone.run("local", "status", local=False).code == 1


def test_stop_tells_of_a_process_that_it_left_alone(alone: User) -> None:
    folder = alone.home / "embedded" / "server"
    folder.mkdir(parents=True)
    stale = {"endpoint": "http://127.0.0.1:9", "pid": os.getpid(), "instance": "i", "token": "t"}
    stale |= {"pace": 0.0, "manners": True, "started": "then"}
    (folder / "local.json").write_text(json.dumps(stale))

    ran = alone.run("local", "stop", local=False)

    assert ran.code == 0
    assert "was not running" in ran.out
    assert f"Process {os.getpid()}" in ran.err
