"""Tells a person at a terminal, once, that the run waits for a new sign-in; then waits."""

from __future__ import annotations

import sys
import threading

from provisioner.aws.credential_errors import ChainError
from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.terminal.console import Console

# Seconds: between two looks for a new sign-in; how long one is waited for; and the pause after which a
# sign-in that ends is a new case.
POLL_INTERVAL, SIGN_IN_TIMEOUT, _NEW_CASE_AFTER = 3.0, 1800.0, 60.0


def can_sign_in(console: Console) -> bool:
    """Return whether a person watches who can sign in: a terminal on both sides, and no JSON output."""
    return console.is_terminal and sys.stdin is not None and sys.stdin.isatty()


class SignInWait:
    """One run's wait for a new sign-in; shared by all threads that need credentials."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._began = self._last_failure = 0.0

    def __call__(self, error: ChainError) -> None:
        """Wait one step for a new sign-in; the first thread that comes here asks the person for it.

        Raises:
            ChainError: The run was asked to end, or nobody has signed in for half an hour.

        """
        with self._lock:
            now = self._clock.now()
            if not self._last_failure or now - self._last_failure > _NEW_CASE_AFTER:
                self._began = now
                self._console.ask(
                    f"{error.message}\nSign in again: {error.login} (the run goes on by itself; it waits for "
                    f"{SIGN_IN_TIMEOUT / 60:.0f} minutes, Ctrl-C stops it)."
                )
            self._last_failure = now
        if now - self._began > SIGN_IN_TIMEOUT:
            raise error
        try:
            self._clock.sleep(POLL_INTERVAL)
        except Stopped:
            raise error from None
