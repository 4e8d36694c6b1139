"""A plan carried out, beside no other machine's run."""

from __future__ import annotations

from provisioner.alone import beside_none
from provisioner.engine.apply import Apply
from provisioner.engine.events import Event
from provisioner.engine.outcome import Outcome
from provisioner.engine.plan import Plan
from provisioner.kinds import KINDS
from provisioner.session import Session


def bring_up(session: Session, plan: Plan) -> Outcome:
    """Carry the plan out.

    Raises: LockHeld where another machine's run is at work, or has changed or removed the stack meanwhile.
    """
    with beside_none(session, plan) as (marker, confirm):
        done = Apply(plan, session.hands(marker), KINDS).run()
        if not (session.aws.echoes or plan.whole) and done.is_whole:
            done = _follow(session, done)
        if done.is_whole:
            confirm()
    return done


def _follow(session: Session, done: Outcome) -> Outcome:
    """Bring in line what an emulator tells otherwise since: an endpoint, once there is an instance.

    ministack 1.5.33 moves a cluster's so: what took the former value would differ in the next plan.
    """
    moved = session.plan()
    if not moved.acting or moved.refused:
        return done
    names = ", ".join(change.node for change in moved.acting)
    told = f"this emulator tells other values than before: {names} follow them"
    session.listen(Event("note", detail=told))
    return done.followed_by(Apply(moved, session.hands(), KINDS).run())
