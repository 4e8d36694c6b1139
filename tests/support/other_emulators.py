"""Emulators that are not ours, as processes, and a user before one."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.user import ROOT


@dataclass(frozen=True)
class OtherEmulatorUser:
    """A user before an emulator, through whole processes."""

    endpoint: str
    home: Path
    suffix: str

    def run(self, verb: str, *more: str, code: int = 0) -> str:
        """One command, which must end so; what it printed."""
        keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
        named = {"AWS_ENDPOINT_URL": self.endpoint, "MLAPI_HOME": str(self.home), "AWS_REGION": "us-east-1"}
        command = [sys.executable, str(ROOT / "cli.py"), verb, "--suffix", self.suffix, *more]
        env = {**os.environ, **named, **keys}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
        assert ran.returncode == code, ran.stderr
        return ran.stdout + ran.stderr


@contextlib.contextmanager
def served(command: list[str], folder: Path, port: int, **more: str) -> Iterator[str]:
    """Run a server until the block ends; its endpoint, once it answers."""
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **more}, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"no server at {port}")
