"""No other machine's run at work: what a command that changes a service or the key makes sure of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.alone import looking_out
from provisioner.session import Session
from provisioner.taking_down import bare_stack


@contextmanager
def undisturbed(session: Session, *, to_its_end: bool = True) -> Iterator[None]:
    """Inside, no call is made once another machine's run is at work.

    Raises: LockHeld where one is, before the first call; or has come by the end, where that is asked for.
    """
    marker = session.marker_of(bare_stack(session))
    if marker is None:
        yield
        return
    with looking_out(session, marker) as lookout:
        yield
        if to_its_end:
            lookout.confirm()
