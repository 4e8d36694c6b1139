"""Makes sure, for a command that changes a service or the key, that no other machine's run is at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from provisioner.exclusive_run import watch_run_marker
from provisioner.session import Session
from provisioner.teardown_run import stack_by_name


@contextmanager
def without_other_runs(session: Session, *, check_at_end: bool = True) -> Iterator[None]:
    """Stop calls in the block as soon as another machine's run is at work.

    Raises:
        LockHeld: Another run is at work, before the first call or later; with `check_at_end`, also at the end.

    """
    marker = session.marker_of(stack_by_name(session))
    if marker is None:
        yield
        return
    with watch_run_marker(session, marker) as watcher:
        yield
        if check_at_end:
            watcher.confirm()
