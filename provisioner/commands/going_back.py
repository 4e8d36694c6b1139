"""`rollback`: a service returned to a revision that it ran before, followed until it serves."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.commands.asking import Asking
from provisioner.commands.deploying import answer, listen_to, settle, ship
from provisioner.commands.following import interruptible, tell_replaced
from provisioner.commands.one_service import OneService, one_service
from provisioner.commands.place import header
from provisioner.commands.pulling import demand_pullable, pulling
from provisioner.commands.recording import recorded
from provisioner.commands.releasing import earlier, named, releases_of
from provisioner.commands.smoke import smoke
from provisioner.commands.undisturbed import undisturbed
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked
from provisioner.names import IMAGE_OWNER
from provisioner.resources.ecs.revisions import Running, besides, number, revision, unopened
from provisioner.resources.ecs.shipped import DEPLOY
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.releases import Release
from provisioner.terminal.say import Say


@dataclass(frozen=True)
class Wish:
    """The options of a rollback; an empty `to` means the last good revision before the running one."""

    asking: Asking
    service: str = ""
    to: str = ""
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def rollback(say: Say, session: Session, wish: Wish) -> int:
    """Find the revision, ask for confirmation, roll it out and follow it; return the exit code."""
    header(say, session)
    with (
        session.locked("rollback", wish.lock_timeout),
        recorded(session, "rollback") as record,
        undisturbed(session),
    ):
        one = one_service(session, wish.service)
        with user_errors(f"looking at the revisions of {one.aws_name}"):
            now = one.running()
            listed = releases_of(one, now)
        to = _meant(say, one, now, listed, wish)
        listen_to(one, record)
        if to.arn == now.arn and now.is_settled:
            settle(say, one, now, {IMAGE_OWNER: DEPLOY}, is_asked=wish.smoke)
        else:
            _refuse_unopened(one, now, to)
            with user_errors(f"looking at the images of revision {to.revision}"):
                demand_pullable(say, session, images_of(revision(session.clients, to.arn)))
            _show(say, one, now, to)
            if to.arn != now.arn:
                tell_replaced(say, one, now)
            wish.asking.confirm(say, f"Go back to revision {to.revision} in {session.suffix}?")
            doing = f"going back with {one.aws_name}"
            with pulling(say, session, one, to.image, record), interruptible(say, one, doing):
                record.plan = {"change": 1}
                one.mark(now, {IMAGE_OWNER: DEPLOY})
                one.intend_to_go_back(to.arn)
                ship(say, one, now, to.arn, fail_fast=wish.fail_fast)
                if wish.smoke:
                    smoke(say, one)
        answer(say, one, to.arn, to.image)
    return 0


def _meant(say: Say, one: OneService, now: Running, listed: list[Release], wish: Wish) -> Release:
    """Return the release to go back to.

    If an earlier rollback reached AWS but did not see its end, that one goes on: this run goes no further
    back.
    """
    if wish.to:
        return named(listed, wish.to)
    if one.goes_back_to == now.arn:
        say.note("An earlier rollback was cut off: it is gone on with, none goes further back.")
        return named(listed, now.arn)
    if to := earlier(listed, number(now.arn)):
        return to
    raise _nowhere(one, number(now.arn))


def _show(say: Say, one: OneService, now: Running, to: Release) -> None:
    """Show what would change: beside the image, an `apply` may have changed other properties too."""
    say.note(f"  ~ {one.title} ({one.aws_name}), revision {number(now.arn)} -> {to.revision}")
    if now.image != to.image:
        say.note(f"      image: {now.image} -> {to.image}")
    doc = revision(one.session.clients, to.arn)
    if paths := besides(str(now.container["name"]), doc, now.revision):
        say.note(f"      besides: {', '.join(paths)}; the next `apply` brings what the settings want of that")


def _refuse_unopened(one: OneService, now: Running, to: Release) -> None:
    """Refuse a revision whose containers do not expose the port that the load balancer calls.

    Only the settings change the port, together with the rules for it.

    Raises:
        Blocked: ECS would refuse the revision.

    """
    if ports := unopened(now.service, revision(one.session.clients, to.arn)):
        apply = one.session.where.workspace.command("apply", one.session.suffix)
        raise Blocked(
            f"Revision {to.revision} of {one.aws_name} does not listen where the load balancer asks "
            f"({', '.join(ports)}): it was made for another port. Nothing was touched.",
            f"Set `container.port` back to that of the revision and run `{apply}`, then go back.",
        )


def _nowhere(one: OneService, now: int) -> Blocked:
    """Return the error that there is no good revision: none is earlier, or all failed or are deregistered."""
    command, suffix = one.session.where.workspace.command, one.session.suffix
    return Blocked(
        f"There is no good revision of {one.aws_name} before {now} to go back to.",
        f"`{command('deploy --image REF', suffix)}` ships another image; "
        f"`{command('releases', suffix)}` tells what there is.",
    )
