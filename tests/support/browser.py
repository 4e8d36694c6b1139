"""A headless Chromium, spoken to by its DevTools protocol over two pipes; no other package is needed."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="NOT LOOKED AT: there is no Chromium on this machine")
# Why a run as root has no sandbox: Chromium refuses to make one.
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
_SECONDS = 60.0
# Chromium reads its commands from descriptor 3 and answers on 4; neither of the two given is one of these.
_START = """
import os, sys
reads, writes = (os.dup(os.dup(os.dup(int(each)))) for each in sys.argv[1:3])
os.dup2(reads, 3), os.dup2(writes, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
# A sheet of A4 within Chromium's own margins of 1 cm: CSS pixels of 1/96 inch.
PAPER_WIDTH = 718


@dataclass
class Browser:
    """One page of a browser; the pipe to it, and the one from it."""

    to_it: int
    from_it: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _received: bytes = b""
    _session: str = ""

    def open_page(self) -> None:
        """Make the page that all later commands are for."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.command("Page.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        sent = json.dumps({"id": number, "method": method, "params": parameters, **session})
        os.write(self.to_it, sent.encode() + b"\0")
        message = self._wait_for("id", number)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def _wait_for(self, key: str, value: Any) -> dict[str, Any]:
        """Return the next message with this value; those before it are dropped."""
        deadline = time.monotonic() + _SECONDS
        while True:
            head, end, rest = self._received.partition(b"\0")
            if end:
                self._received = rest
                message: dict[str, Any] = json.loads(head)
                if message.get(key) == value:
                    return message
                continue
            ready, _, _ = select.select([self.from_it], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"Chromium did not answer in {_SECONDS:.0f} s"
            received = os.read(self.from_it, 1 << 16)
            assert received, "Chromium ended"
            self._received += received

    def load(self, file: Path) -> None:
        """Load a file."""
        self.command("Page.navigate", url=file.as_uri())
        self._wait_for("method", "Page.loadEventFired")

    def view(self, *, width: int, media: str, scheme: str) -> None:
        """Show the page in a window of this width, as a screen or a printer of this colour scheme does."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", media=media, features=features)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """Write a picture of the whole page."""
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def print_to_pdf(self) -> bytes:
        """Return the page as a printer gets it: A4, without backgrounds."""
        paper: Mapping[str, float] = {"paperWidth": 210 / 25.4, "paperHeight": 297 / 25.4}
        return base64.b64decode(self.command("Page.printToPDF", **paper)["data"])


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with one page."""
    assert PROGRAM
    reads, to_it = os.pipe()
    from_it, writes = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*_QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        command = [sys.executable, "-c", _START, str(reads), str(writes), PROGRAM, *options]
        process = subprocess.Popen(command, pass_fds=(reads, writes), stderr=subprocess.DEVNULL)
        for descriptor in (reads, writes):
            os.close(descriptor)
        try:
            page = Browser(to_it, from_it)
            page.open_page()
            yield page
        finally:
            process.terminate()
            process.wait(_SECONDS)
            os.close(to_it)
            os.close(from_it)
