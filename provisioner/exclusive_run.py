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
    actual = marker.actual_in(plan)
    if actual is None and marker.logical_id in plan.changes:
        with _guard_changes(session, marker):
            yield marker, marker.confirm
    elif actual is not None and (creates_duplicates(plan) or marker.other(actual)):
        with run_mark(session, marker, actual):
            yield marker, marker.confirm
    else:
        with watch_run_marker(session, marker, exists=actual is not None) as marker_watch:
            yield marker, marker_watch.confirm


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
def run_mark(session: Session, marker: RunMarker, actual: JsonObject) -> Iterator[None]:
    """Keep this run's mark on the stack's marker during the block.

    A complete state does not make the mark unnecessary: a machine without state finds existing resources by
    their tags, but not the resources that this run is about to create or delete. `actual` is the marker as the
    plan read it.

    Raises:
        LockHeld: Another run is at work.

    """
    with _guard_changes(session, marker):
        marker.acquire(actual)
        yield


@contextmanager
def watch_run_marker(session: Session, marker: RunMarker, *, exists: bool = False) -> Iterator[RunMarkerWatch]:
    """Look for other runs' marks during the block, before calls that change AWS.

    `exists` says whether the plan saw the marker.

    Raises:
        LockHeld: Another run is at work, now or before a later call.

    """
    marker_watch = RunMarkerWatch(marker, session.clock, exists=exists)
    marker_watch.begin()
    with _guard_changes(session, marker_watch):
        yield marker_watch


@contextmanager
def _guard_changes(session: Session, check: RunMarker | RunMarkerWatch) -> Iterator[None]:
    """Check for other runs before each changing call of the block; end the mark or the watch after it."""
    previous_guard = session.guard
    session.guard = call_both(previous_guard, check.guard)
    try:
        yield
    finally:
        session.guard = previous_guard
        try:
            check.end()
        except ProvisionerError as error:  # a mark that stays expires by itself
            session.warn(error.message, "Other machines take this run for one under way, for five minutes.")


def call_both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls both checks."""

    def check() -> None:
        first()
        second()

    return check


def apply_exclusively(session: Session, plan: Plan) -> Outcome:
    """Carry the plan out.

    Raises:
        LockHeld: Another machine's run is at work, or has changed or removed the stack meanwhile.

    """
    with exclusive_run(session, plan) as (marker, confirm):
        outcome = Apply(plan, session.executor(plan, marker), RESOURCE_TYPES).run()
        if not (session.aws.is_faithful or plan.unfiltered) and outcome.is_complete:
            outcome = _apply_changed_values(session, outcome)
        if outcome.is_complete:
            confirm()
    return outcome


def _apply_changed_values(session: Session, outcome: Outcome) -> Outcome:
    """Plan and apply once more if an emulator returns other values now, such as a changed endpoint.

    ministack 1.5.33 changes a cluster's endpoint once the cluster has an instance. Resources that got the
    former value would show as differences in the next plan.
    """
    new_plan = session.plan()
    if not new_plan.changes_to_make or new_plan.refused:
        return outcome
    names = ", ".join(change.logical_id for change in new_plan.changes_to_make)
    message = f"this emulator tells other values than before: {names} follow them"
    session.events.publish(Event("note", detail=message))
    return outcome.merged_with(Apply(new_plan, session.executor(new_plan), RESOURCE_TYPES).run())
