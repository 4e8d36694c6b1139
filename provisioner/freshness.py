"""The last check of a changing call, right before it is sent: what was asked before may no longer hold.

Between the check whether a run may still call and the sending lie credentials and a signature. A process can
be stopped, or its machine sleep, at any moment of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Stale(Exception):
    """A call that was not sent, because too much time has passed since it was allowed."""


def _never() -> bool:
    return False


_is_stale: ContextVar[Callable[[], bool]] = ContextVar("is_stale", default=_never)


@contextmanager
def sent_unless(is_stale: Callable[[], bool]) -> Iterator[None]:
    """Raise `Stale` in place of each request of the block for which `is_stale` is true when it is sent."""
    token = _is_stale.set(is_stale)
    try:
        yield
    finally:
        _is_stale.reset(token)


def refuse_stale(**_: Any) -> None:
    """Raise `Stale` if the request is not to be sent any more (botocore's before-send)."""
    if _is_stale.get()():
        raise Stale
