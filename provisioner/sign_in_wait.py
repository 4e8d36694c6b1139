"""Waits in mid-run until a person has signed in again; every thread that needs credentials waits here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from provisioner.credential_errors import ChainError

T = TypeVar("T")
# Sleeps for one step; raises the error if nobody is expected to sign in any more.
Wait = Callable[[ChainError], None]
_waits: list[Wait] = []


@contextmanager
def waiting_by(wait: Wait) -> Iterator[None]:
    """Let `wait` wait for a new sign-in during the block; outside of it, an ended sign-in is an error."""
    _waits.append(wait)
    try:
        yield
    finally:
        _waits.remove(wait)


def call_when_signed_in(call: Callable[[], T]) -> T:
    """Make a call, and repeat it while the sign-in is over and somebody is there to sign in again.

    Raises:
        ChainError: Nobody is there to sign in, nobody did so in time, or the error has another cause.

    """
    while True:
        try:
            return call()
        except ChainError as error:
            waits = _waits[-1:]  # a copy: another thread may end the run meanwhile
            if not error.login or not waits:
                raise
            waits[0](error)
