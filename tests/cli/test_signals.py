"""A command that a signal stops: before its first change it says that nothing was changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner import stopping
from provisioner.commands import state_bucket
from provisioner.emulator import local
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.workspace import Workspace
from state.lock import FileLock
from state.state_store import FileStateStore
from tests.support.live_stack import LiveStack
from tests.support.paused_replies import held
from tests.support.user import ROOT

NOTHING, RECORDED = "Nothing was changed.", "Whatever was changed is recorded: the same command goes on."
INTERRUPTED, TERMINATED = 130, 143
SIGNALS = [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
BOOTSTRAP = "bootstrap --yes --repo acme/ml-api --branch main"
# Every command that changes something in AWS.
CHANGING = (
    *("apply --yes", "teardown --yes", "deploy --image nginx:1 --yes", "rollback --yes", "restart --yes"),
    *("scale --min 1 --yes", "run --yes -- true", "rotate-origin-secret --yes"),
    BOOTSTRAP,
)
# A package that the way in imports first, in the place of its own: it says so, and waits.
IMPORTED = "import sys\nprint('importing', flush=True)\nsys.stdin.read()\n"


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize(
    ("typed", "service"),
    [("apply --yes --suffix new", "ec2"), ("teardown --yes --suffix prod", "ec2")],
    ids=["apply", "teardown"],
)
def test_a_process_that_is_stopped_while_it_plans_has_changed_nothing_and_says_so(
    live_stack: LiveStack,
    number: signal.Signals,
    code: int,
    typed: str,
    service: str,
) -> None:
    user = live_stack.desk
    before = user.mark()

    with held(user.box, service) as answer, user.spawn(*typed.split(), "--local") as process:
        answer.wait()
        process.send_signal(number)
        answer.let_go()
        _, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    assert f"Error: Stopped.\n{NOTHING}\n" in err
    assert "Traceback" not in err
    assert user.tries(before) == []


def stops(stop: type[BaseException]) -> Callable[..., Any]:
    """Make what a signal stops."""

    def stopped(*_: Any, **__: Any) -> Any:
        raise stop

    return stopped


@pytest.mark.parametrize("typed", CHANGING)
@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (stopping.Terminated, 143)])
def test_every_command_that_changes_something_says_that_it_has_not_begun_to(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, typed: str, stop: type[BaseException], code: int
) -> None:
    user, (command, *behind) = live_stack.desk, typed.split(" -- ")
    before = user.mark()
    monkeypatch.setattr(Clients, "_read_with_retry", stops(stop))
    words = [*command.split(), "--suffix", "prod", "--local", *(["--", *behind] if behind else [])]

    ran = user.run(*words, local=False)

    assert ran.code == code, ran.err
    assert ran.err.endswith(f"Error: Stopped.\n{NOTHING}\n")
    assert user.tries(before) == []


def test_a_command_that_has_begun_to_change_something_says_what_goes_on(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Clients.call_once

    def once(clients: Clients, call: Callable[[], Any]) -> Any:
        act(clients, call)
        raise KeyboardInterrupt

    before = live_stack.desk.mark()
    monkeypatch.setattr(Clients, "call_once", once)

    ran = live_stack.desk.run(*BOOTSTRAP.split(), "--suffix", "prod")

    assert ran.code == INTERRUPTED
    assert ran.err.endswith(f"Error: Stopped.\n{RECORDED}\n")
    assert len(live_stack.desk.tries(before)) == 1


@pytest.mark.parametrize(
    ("typed", "where", "told"),
    [
        ("state push --suffix prod {file}", (Workspace, "load_state"), NOTHING),
        ("state push --suffix prod {file}", (FileStateStore, "save"), RECORDED),
        ("state unlock --suffix prod --yes", (FileLock, "last_holder"), NOTHING),
        ("state init --state s3://team-state/x --yes", (state_bucket, "caller_location"), NOTHING),
        ("state init --state s3://team-state/x --yes", (state_bucket, "create_bucket"), RECORDED),
        ("local stop", (local, "unresponsive_process"), NOTHING),
        ("local stop", (local, "stop_emulator"), RECORDED),
    ],
    ids=str,
)
def test_a_command_for_the_state_or_the_emulator_tells_whether_it_has_begun(
    live_stack: LiveStack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    typed: str,
    where: tuple[Any, str],
    told: str,
) -> None:
    user = live_stack.desk
    pulled = json.loads(user.well("state", "pull", "--suffix", "prod").out)
    (tmp_path / "pushed.json").write_text(json.dumps({**pulled, "serial": pulled["serial"] + 1}))
    monkeypatch.setattr(*where, stops(KeyboardInterrupt))
    words = typed.format(file=tmp_path / "pushed.json").split()

    ran = user.run(*words, local=words[0] != "local")

    assert ran.code == INTERRUPTED
    assert ran.err.endswith(f"Error: Stopped.\n{told}\n")


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (stopping.Terminated, 143)])
def test_what_goes_on_until_it_is_stopped_ends_with_the_code_of_the_signal(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException], code: int
) -> None:
    monkeypatch.setattr(Clock, "sleep", stops(stop))

    ran = live_stack.desk.run("status", "--watch", "--suffix", "prod")

    assert (ran.code, "Stopped" in ran.err) == (code, False)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_process_that_is_stopped_while_it_is_still_being_loaded_says_the_same(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    (tmp_path / "click.py").write_text(IMPORTED)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "apply", "--yes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "importing\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (code, f"Error: Stopped.\n{NOTHING}\n")
