"""A plan carried out beside no other run, also of machines that share no state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provisioner.engine.execution.apply import Apply
from provisioner.engine.execution.events import Event
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.engine.run_marker.watch import RunMarkerWatch, creates_duplicates
from provisioner.errors import Blocked
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session
from state.errors import ProvisionerError


@contextmanager
def exclusive_run(session: Session, plan: Plan) -> Iterator[tuple[RunMarker | None, Callable[[], None]]]:
    """Keep other runs away from the stack while a plan is carried out.

    If the plan creates the marker, it is created with this run's mark. An existing marker gets this run's
    mark in two cases: the plan creates resources of which AWS would make a second one, or another run's mark
    is taken over. Otherwise this run sets no mark and only looks for others'.

    Yields:
        The marker, or None if the stack has none; and a function to call at the end, which raises LockHeld if
        another run has begun or has removed the stack.

    Raises:
        LockHeld: Another run is at work.

    """
    marker = session.marker(plan)
    if marker is None:
        yield None, lambda: None
        return
    seen = marker.actual_in(plan)
    if seen is None and marker.logical_id in plan.changes:
        with _guarded(session, marker):
            yield marker, marker.confirm
    elif seen is not None and (creates_duplicates(plan) or marker.other(seen)):
        with run_mark(session, marker, seen):
            yield marker, marker.confirm
    else:
        with watch_run_marker(session, marker, stands=seen is not None) as lookout:
            yield marker, lookout.confirm


@contextmanager
def raise_if_other_run_began(session: Session, plan: Plan) -> Iterator[None]:
    """Raise LockHeld in place of Blocked if another machine's run is at work on the stack by now.

    That run may have created resources with properties that block this machine's plan. The plan may have
    missed the run, because reading a stack takes time: the marker may have been read before it existed.

    Raises:
        LockHeld: Another run is at work.
        Blocked: No other run is at work.

    """
    try:
        yield
    except Blocked:
        if marker := session.marker(plan):
            marker.check(marker.read_consistently() if plan.found else marker.read())
        raise


@contextmanager
def run_mark(session: Session, marker: RunMarker, seen: JsonObject) -> Iterator[None]:
    """Keep this run's mark on the stack's marker during the block.

    A complete state does not make the mark unnecessary: a machine without state finds existing resources by
    their tags, but not the resources that this run is about to create or delete. `seen` is the marker as the
    plan read it.

    Raises:
        LockHeld: Another run is at work.

    """
    with _guarded(session, marker):
        marker.acquire(seen)
        yield


@contextmanager
def watch_run_marker(session: Session, marker: RunMarker, *, stands: bool = False) -> Iterator[RunMarkerWatch]:
    """Look for other runs' marks during the block, before calls that change AWS.

    `stands` says whether the plan saw the marker.

    Raises:
        LockHeld: Another run is at work, now or before a later call.

    """
    lookout = RunMarkerWatch(marker, session.clock, exists=stands)
    lookout.begin()
    with _guarded(session, lookout):
        yield lookout


@contextmanager
def _guarded(session: Session, one: RunMarker | RunMarkerWatch) -> Iterator[None]:
    """Check for other runs before each changing call of the block; end the mark or the lookout after it."""
    former = session.guard
    session.guard = both(former, one.guard)
    try:
        yield
    finally:
        session.guard = former
        try:
            one.end()
        except ProvisionerError as error:  # a mark that stays expires by itself
            session.warn(error.message, "Other machines take this run for one under way, for five minutes.")


def both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls both checks."""

    def check() -> None:
        one()
        other()

    return check


def bring_up(session: Session, plan: Plan) -> Outcome:
    """Carry the plan out.

    Raises:
        LockHeld: Another machine's run is at work, or has changed or removed the stack meanwhile.

    """
    with exclusive_run(session, plan) as (marker, confirm):
        done = Apply(plan, session.executor(plan, marker), RESOURCE_TYPES).run()
        if not (session.aws.is_faithful or plan.unfiltered) and done.is_complete:
            done = _follow(session, done)
        if done.is_complete:
            confirm()
    return done


def _follow(session: Session, done: Outcome) -> Outcome:
    """Plan and apply once more if an emulator returns other values now, such as a changed endpoint.

    ministack 1.5.33 changes a cluster's endpoint once the cluster has an instance. Resources that got the
    former value would show as differences in the next plan.
    """
    moved = session.plan()
    if not moved.changes_to_make or moved.refused:
        return done
    names = ", ".join(change.logical_id for change in moved.changes_to_make)
    told = f"this emulator tells other values than before: {names} follow them"
    session.listener(Event("note", detail=told))
    return done.merged_with(Apply(moved, session.executor(moved), RESOURCE_TYPES).run())
