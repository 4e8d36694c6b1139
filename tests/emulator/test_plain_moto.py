"""On an emulator that is not ours, and forgets: moto as it comes, behind AWS_ENDPOINT_URL."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.user import ROOT

SEED = ("--set", "profile=seed")


@pytest.fixture
def endpoint() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # As many tasks as are wanted run at once (moto documentation, ECS).
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    server = subprocess.Popen(
        command,
        env={**os.environ, "MOTO_ECS_SERVICE_RUNNING": "4"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert server.stderr
    next(line for line in server.stderr if "Running on" in line)
    server.stderr.close()
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.mark.slow
def test_a_plan_is_silent_where_little_is_echoed(endpoint: str, tmp_path: Path) -> None:
    named = {"AWS_ENDPOINT_URL": endpoint, "MLAPI_HOME": str(tmp_path), "AWS_DEFAULT_REGION": "us-east-1"}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    env = {**os.environ, **named, **keys}

    def run(verb: str, *more: str) -> str:
        command = [sys.executable, str(ROOT / "cli.py"), verb, "--suffix", "p", *more]
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    bigger = (*SEED, "--set", "container.cpu=2048", "--set", "container.memory=4096")
    for settings in (SEED, bigger, SEED):
        run("apply", "--yes", *settings)
        assert run("plan", *settings) == "No changes.\n"
        assert "No drift." in run("drift", *settings)
    assert "~ ecs/service" in run("plan", *bigger)
    assert "Verified empty" in run("teardown", "--yes", *SEED)
