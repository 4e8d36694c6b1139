"""Waits in mid-run for a person to sign in again: whoever needs credentials waits at one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from provisioner.sign_in import ChainError

T = TypeVar("T")
# Sleeps for one step, and raises the error where nobody signs in any more.
Wait = Callable[[ChainError], None]
_waits: list[Wait] = []


@contextmanager
def waiting_by(wait: Wait) -> Iterator[None]:
    """Inside, a sign-in that ends is waited for by `wait`; outside it ends the command at once."""
    _waits.append(wait)
    try:
        yield
    finally:
        _waits.remove(wait)


def until_signed_in(call: Callable[[], T]) -> T:
    """Make a call, again and again while the sign-in is over and somebody is there to sign in anew.

    Raises:
        ChainError: Nobody is, or nobody did in time; or it is no matter of a sign-in.

    """
    while True:
        try:
            return call()
        except ChainError as error:
            waits = _waits[-1:]  # another thread may end the run meanwhile
            if not error.login or not waits:
                raise
            waits[0](error)
