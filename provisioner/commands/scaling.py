"""`scale`: the minimum and maximum number of a service's tasks, until the settings take that back."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.amounts import amount
from provisioner.commands.asking import Asking
from provisioner.commands.deploying import listen_to
from provisioner.commands.following import interruptible
from provisioner.commands.one_service import OneService, one_service
from provisioner.commands.place import header
from provisioner.commands.recording import recorded
from provisioner.commands.undisturbed import undisturbed
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import UsageError
from provisioner.names import COUNT_OWNER
from provisioner.resources.ecs.shipped import SCALE
from provisioner.session import Session
from provisioner.settings.never import nothing_wakes
from provisioner.settings.shipped import Counts
from provisioner.steps.ecs import CONTAINER
from provisioner.terminal.say import Say
from state.serialization import json_fields


@dataclass(frozen=True)
class Wish:
    """The options of a scale; a bound that is not given stays as it is."""

    asking: Asking
    minimum: int | None = None
    maximum: int | None = None
    service: str = ""
    lock_timeout: float = 0.0


def scale(say: Say, session: Session, wish: Wish) -> int:
    """Tag the service, so that no `apply` undoes it silently, then set the bounds; return the exit code.

    Raises:
        UsageError: No bound is given, or the maximum is 0 or lower than the minimum.

    """
    header(say, session)
    if wish.minimum is None and wish.maximum is None:
        raise UsageError("Between how many tasks?", "Say --min N, --max N, or both.")
    if wish.maximum == 0:
        said = nothing_wakes(f"With --max 0 {wish.service or CONTAINER} stands at 0 tasks")
        raise UsageError(said, "Say --max 1 or more.")
    if wish.minimum is not None and wish.maximum is not None and wish.maximum < wish.minimum:
        raise _crossed(wish, Counts(wish.minimum, wish.maximum))
    with (
        session.locked("scale", wish.lock_timeout),
        recorded(session, "scale") as record,
        undisturbed(session),
    ):
        one = one_service(session, wish.service)
        with user_errors(f"looking at {one.aws_name}"):
            now, was = one.running(), one.counts()
        counts = Counts(
            was.minimum if wish.minimum is None else wish.minimum,
            was.maximum if wish.maximum is None else wish.maximum,
        )
        if counts.maximum < counts.minimum:
            raise _crossed(wish, counts)
        listen_to(one, record)
        if not counts.minimum:
            told = nothing_wakes(f"{one.aws_name} may come to 0 tasks")
            say.note(f"{told} `{_wakes(session, one)}` keeps one running.", "yellow")
        if counts != was:
            say.note(f"  ~ {one.title} ({one.aws_name})")
            say.note(f"      tasks: {was.minimum} to {was.maximum} -> {counts.minimum} to {counts.maximum}")
            wish.asking.confirm(say, f"Scale this in {session.suffix}?")
        record.plan = {"change": int(counts != was)}
        with interruptible(say, one, f"scaling {one.aws_name}"):
            one.mark(now, {COUNT_OWNER: SCALE})
            one.bound(was, counts)
        told = f"{one.title} is scaled between {counts.minimum} and {amount(counts.maximum, 'task')}."
        say.answer(told, "scale", service=one.title, **json_fields(counts))
        again = session.where.workspace.command("apply", session.suffix)
        say.note(f"`apply` leaves it so; `{again} --take counts` brings the settings' counts back.")
    return 0


def _crossed(wish: Wish, counts: Counts) -> UsageError:
    """Return the error that the maximum is lower than the minimum; a bound not given is the present one."""
    least = f"the {counts.minimum} that stand at least" if wish.minimum is None else f"--min {counts.minimum}"
    if wish.maximum is None:
        return UsageError(
            f"{least} is higher than the {counts.maximum} that stand at most.",
            "Lower --min, or say a higher --max too.",
        )
    hint = "or say a lower --min too" if wish.minimum is None else "or lower --min"
    joined = "Raise --max " if wish.minimum is not None else "Raise --max, "
    return UsageError(f"--max {counts.maximum} is lower than {least}.", f"{joined}{hint}.")


def _wakes(session: Session, one: OneService) -> str:
    """Return the command that keeps at least one task running."""
    more = f" --service {one.name}" if one.name else ""
    return session.where.workspace.command(f"scale --min 1{more}", session.suffix)
