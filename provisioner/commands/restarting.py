"""`restart`: new tasks of the running revision, followed until they serve."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.amounts import amount
from provisioner.commands.asking import Asking
from provisioner.commands.deploying import listen_to
from provisioner.commands.following import Before, Follower, interruptible, tell_replaced
from provisioner.commands.one_service import OneService, one_service
from provisioner.commands.place import header
from provisioner.commands.pulling import demand_pullable
from provisioner.commands.recording import recorded
from provisioner.commands.smoke import smoke
from provisioner.commands.undisturbed import undisturbed
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked
from provisioner.resources.ecs.revisions import Running, number
from provisioner.resources.ecs.rollouts import begin_anew
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.say import Say

_VERB = "restart"


@dataclass(frozen=True)
class Wish:
    """The options of a restart."""

    asking: Asking
    service: str = ""
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def restart(say: Say, session: Session, wish: Wish) -> int:
    """Begin a deployment of the same revision, and follow it.

    If an earlier restart was interrupted, its deployment is followed and no second one is begun.
    """
    header(say, session)
    with session.locked(_VERB, wish.lock_timeout), recorded(session, _VERB) as record, undisturbed(session):
        one = one_service(session, wish.service)
        with user_errors(f"looking at {one.aws_name}"):
            now = one.running()
        listen_to(one, record)
        under_way = _was_begun(one, now)
        if under_way:
            say.note("An earlier restart was cut off: what it began is followed, no second one is begun.")
        else:
            count = now.service["desiredCount"]
            if not count:
                look = session.where.workspace.command("doctor", session.suffix)
                raise Blocked(
                    f"{one.title} is to run no task: there is nothing to replace.",
                    f"`{look}` tells what to type.",
                )
            with user_errors(f"looking at the images of {one.aws_name}"):
                demand_pullable(say, session, images_of(now.revision))
            tell_replaced(say, one, now)
            wish.asking.confirm(say, f"Replace {amount(count, 'task')} of {one.title} in {session.suffix}?")
        record.plan = {"change": 1}
        with interruptible(say, one, f"restarting {one.aws_name}"), one.told("update"):
            before = Before.of(one, now, now.arn, under_way=under_way, fail_fast=wish.fail_fast)
            follower = Follower(say, one, before, wish.fail_fast)
            if not under_way:
                one.hands.state_manager.record_intent(one.node, _begins(now), replace(one.entry, phase="updating"))
                begin_anew(session.clients, one.cluster, one.aws_name, str(now.primary["id"]))
            follower.follow(now.arn)
            one.settle()
            if wish.smoke:
                smoke(say, one)
        revision = number(now.arn)
        told = f"{one.title} has new tasks (revision {revision})."
        say.answer(told, "restart", service=one.title, revision=revision)
    return 0


def _begins(now: Running) -> str:
    """Return the intent to record.

    It names the deployment before, so that the next run sees whether a new one began.
    """
    return f"{_VERB} after {now.primary['id']}"


def _was_begun(one: OneService, now: Running) -> bool:
    """Return whether an interrupted restart has begun its deployment in AWS, whatever came of that since."""
    intent = one.entry.intent
    return bool(intent and intent.action.startswith(_VERB) and intent.action != _begins(now))
