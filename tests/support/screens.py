"""What a command shows on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import pty
import re
import select
import struct
import sys
import termios
from collections.abc import Sequence
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from provisioner.cli import main

ROOT = Path(__file__).parents[2]
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_PATIENCE = 60.0


# Processes that have imported the product are forked for each command: most of a command's time is its imports.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["provisioner.cli", "provisioner.commands.status_report", "provisioner.commands.plan"])


def screen_of(arguments: Sequence[str], columns: int, home: Path) -> list[str]:
    """Run a command on a terminal of so many columns and return its lines, without control sequences."""
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = _FORKS.Process(target=_run, args=(DupFd(side), tuple(arguments), str(home)))
    process.start()
    os.close(side)
    text = b"".join(iter(lambda: _read(terminal), b""))
    os.close(terminal)
    process.join(_PATIENCE)
    return [_SEQUENCE.sub("", line) for line in text.decode().replace("\r", "").split("\n")]


def _run(terminal: Any, arguments: tuple[str, ...], home: str) -> None:
    """Run a command with all three streams on a terminal."""
    side = terminal.detach()
    for stream in range(3):
        os.dup2(side, stream)
    os.close(side)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - open to the end
    sys.__stdout__ = sys.stdout  # type: ignore[misc]  # what `get_terminal_size` asks
    os.environ.update({"MLAPI_HOME": home, "TERM": "xterm-256color"})
    os.environ.pop("COLUMNS", None)
    sys.argv = [str(ROOT / "cli.py"), *arguments]
    main()


def _read(terminal: int) -> bytes:
    """Return what was written next; nothing at the end."""
    assert select.select([terminal], [], [], _PATIENCE)[0], "the command shows nothing more, and does not end"
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other side was closed
        return b""
