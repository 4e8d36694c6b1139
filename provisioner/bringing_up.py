"""Carries out a plan while no other machine's run works on the stack."""

from __future__ import annotations

from provisioner.alone import exclusive_run
from provisioner.engine.execution.apply import Apply
from provisioner.engine.execution.events import Event
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.planning.plan import Plan
from provisioner.resources import RESOURCE_TYPES
from provisioner.session import Session


def bring_up(session: Session, plan: Plan) -> Outcome:
    """Carry the plan out.

    Raises:
        LockHeld: Another machine's run is at work, or has changed or removed the stack meanwhile.

    """
    with exclusive_run(session, plan) as (marker, confirm):
        done = Apply(plan, session.executor(marker), RESOURCE_TYPES).run()
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
    return done.merged_with(Apply(moved, session.executor(), RESOURCE_TYPES).run())
