"""Stores of others, installed at a pinned version into a folder of their own and served on loopback.

Wants a way to the package registries; `npm` and `node` for what is npm's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

S3RVER, MINISTACK = "3.7.1", "1.5.33"
_STARTS_WITHIN = 60.0


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def s3rver(folder: Path) -> Iterator[str]:
    """An S3 server of npm's; its URL."""
    npm = shutil.which("npm")
    assert npm, "this test needs node and npm: install Debian's `nodejs` and `npm`"
    install = [npm, "install", "--no-audit", "--no-fund", "--silent", f"s3rver@{S3RVER}"]
    folder.mkdir(parents=True)
    subprocess.run(install, check=True, cwd=folder, timeout=300)
    (folder / "data").mkdir()
    port = free_port()
    program = str(folder / "node_modules" / ".bin" / "s3rver")
    with _served([program, "-d", "data", "-p", str(port), "--no-vhost-buckets"], folder, port, {}) as url:
        yield url


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """An AWS of PyPI's; its URL."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    pip = [str(folder / "bin" / "pip"), "install", "-q", f"ministack=={MINISTACK}"]
    subprocess.run(pip, check=True, timeout=300)
    port = free_port()
    more = {"GATEWAY_PORT": str(port), "TMPDIR": str(folder)}
    with _served([str(folder / "bin" / "ministack")], folder, port, more) as url:
        yield url


@contextlib.contextmanager
def _served(command: list[str], folder: Path, port: int, more: dict[str, str]) -> Iterator[str]:
    with (folder / "served.log").open("w") as log:
        child = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **more}, start_new_session=True
        )
        try:
            _wait(child, port, folder / "served.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(30)


def _wait(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it listens."""
    end = time.monotonic() + _STARTS_WITHIN
    while child.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"{child.args!r} does not listen: {log.read_text()[-500:]}")
