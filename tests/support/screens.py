"""What a command shows on a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_PATIENCE = 60.0


def screen_of(arguments: Sequence[str], columns: int, home: Path) -> list[str]:
    """Run a command on a terminal of so many columns and return its lines, without control sequences."""
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "MLAPI_HOME": str(home), "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *arguments], stdin=side, stdout=side, stderr=side, env=environment
    ) as process:
        os.close(side)
        text = b"".join(iter(lambda: _read(terminal), b""))
        os.close(terminal)
        process.wait(_PATIENCE)
    return [_SEQUENCE.sub("", line) for line in text.decode().replace("\r", "").split("\n")]


def _read(terminal: int) -> bytes:
    """Return what was written next; nothing at the end."""
    assert select.select([terminal], [], [], _PATIENCE)[0], "the command shows nothing more, and does not end"
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other side was closed
        return b""
