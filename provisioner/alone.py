"""One run at a time, also of machines that share no state: this run's mark, or others' looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provisioner.engine.lookout import Lookout
from provisioner.engine.marker import Marker
from provisioner.engine.plan import Plan
from provisioner.engine.refs import Doc
from provisioner.engine.twice import makes_two
from provisioner.errors import Blocked, ProvisionerError
from provisioner.session import Session


@contextmanager
def beside_none(session: Session, plan: Plan) -> Iterator[tuple[Marker | None, Callable[[], None]]]:
    """Inside, a plan is carried out beside no other run: with the marker, and what confirms that at the end.

    Where the marker is yet to be made it is born with this run's mark; what stands is marked where this run
    makes what AWS would make twice, or takes another one over. Else others' marks are looked for.

    Raises: LockHeld where another run is at work.
    """
    marker = session.marker(plan)
    if marker is None:
        yield None, lambda: None
        return
    seen = marker.seen_by(plan)
    if seen is None and marker.node in plan.changes:
        with _guarded(session, marker):
            yield marker, marker.confirm
    elif seen is not None and (makes_two(plan) or marker.other(seen)):
        with marked(session, marker, seen):
            yield marker, marker.confirm
    else:
        with looking_out(session, marker, stands=seen is not None) as lookout:
            yield marker, lookout.confirm


@contextmanager
def unless_anothers(session: Session, plan: Plan) -> Iterator[None]:
    """Inside, what blocks a plan is put down to another machine's run, where one is at work by now.

    What that run has made by then may stand otherwise than this machine would make it, and no look at a whole
    stack is of one moment: the marker may have been asked for before it was there.

    Raises: LockHeld where another run is at work, in the place of Blocked.
    """
    try:
        yield
    except Blocked:
        if marker := session.marker(plan):
            marker.check(marker.look_again() if plan.found else marker.look())
        raise


@contextmanager
def marked(session: Session, marker: Marker, seen: Doc) -> Iterator[None]:
    """Inside, this run's mark is on the stack's marker, which stands as `seen`.

    A state that knows the whole stack is no excuse: a machine without any finds what stands by its tags, and
    not what this run is about to make or to delete.

    Raises: LockHeld where another run is at work.
    """
    with _guarded(session, marker):
        marker.take(seen)
        yield


@contextmanager
def looking_out(session: Session, marker: Marker, *, stands: bool = False) -> Iterator[Lookout]:
    """Inside, no call is made once another run's mark is on the stack; LockHeld where one is by now."""
    lookout = Lookout(marker, session.clock, stands=stands)
    lookout.begin()
    with _guarded(session, lookout):
        yield lookout


@contextmanager
def _guarded(session: Session, one: Marker | Lookout) -> Iterator[None]:
    """Inside, no call is made once another run has the stack; at its end the mark is taken off."""
    former = session.guard
    session.guard = both(former, one.guard)
    try:
        yield
    finally:
        session.guard = former
        try:
            one.end()
        except ProvisionerError as error:  # it runs out by itself
            session.tell(error.message, "Other machines take this run for one under way, for five minutes.")


def both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    """Make one check of two."""

    def check() -> None:
        one()
        other()

    return check
