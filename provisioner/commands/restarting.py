"""`restart`: new tasks of the revision that runs, followed until they serve."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.commands.asking import Asking
from provisioner.commands.deploying import listen_to
from provisioner.commands.following import Before, Follower, interruptible
from provisioner.commands.one_service import one_service
from provisioner.commands.place import header
from provisioner.commands.recording import recorded
from provisioner.commands.smoke import smoke
from provisioner.engine.explain import explained
from provisioner.kinds.ecs.revisions import number
from provisioner.kinds.ecs.rollouts import begin_anew
from provisioner.session import Session
from provisioner.terminal.say import Say

_VERB = "restart"


@dataclass(frozen=True)
class Wish:
    """Which service is to be restarted."""

    asking: Asking
    service: str = ""
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def restart(say: Say, session: Session, wish: Wish) -> int:
    """Begin a deployment of the same revision; one that an earlier run began and that is under way serves."""
    header(say, session)
    with session.locked(_VERB, wish.lock_timeout), recorded(session, _VERB) as record:
        one = one_service(session, wish.service)
        with explained(f"looking at {one.aws_name}"):
            now = one.running()
        listen_to(one, record)
        intent = one.entry.intent
        under_way = bool(intent and intent.verb == _VERB and not now.is_settled)
        if not under_way:
            count = now.service["desiredCount"]
            wish.asking.confirm(say, f"Replace the {count} tasks of {one.title} in {session.suffix}?")
        record.plan = {"change": 1}
        with interruptible(say, one, f"restarting {one.aws_name}"), one.told("update"):
            follower = Follower(say, one, Before.of(one, now.arn, under_way=under_way), wish.fail_fast)
            if not under_way:
                one.hands.ledger.intend(one.node, _VERB, replace(one.entry, phase="updating"))
                begin_anew(session.clients, one.cluster, one.aws_name, str(now.primary["id"]))
            follower.follow(now.arn)
            one.settle()
            if wish.smoke:
                smoke(say, one)
        revision = number(now.arn)
        told = f"{one.title} has new tasks (revision {revision})."
        say.answer(told, "restart", service=one.title, revision=revision)
    return 0
