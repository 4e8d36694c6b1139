"""A background thread that calls a function at a fixed interval."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Heartbeat:
    """A daemon thread that calls `beat` every `every` seconds until it is stopped."""

    def __init__(self, beat: Callable[[], None], every: float) -> None:
        self._beat = beat
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start the thread; the first call comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; a call in progress is waited for."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._beat()
