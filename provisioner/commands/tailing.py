"""`logs`: what the tasks have written, and write."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.engine.explain import explain
from provisioner.engine.faults import PASSING, fault_of
from provisioner.errors import Incomplete, ProvisionerError, UsageError
from provisioner.kinds.log_events import Line, Tail
from provisioner.session import Session
from provisioner.terminal.logs import Lines
from provisioner.terminal.say import Say
from state.document import Document

_GROUP, _TASKS = "ecs-logs", "TaskDefinition"
_PAUSE = 2.0  # seconds: AWS takes five of these calls a second, for the whole account
_INTERRUPTED = 130


@dataclass(frozen=True)
class Wanted:
    """Which lines: how many seconds back, whose, of which task (as its id begins), and with what in them."""

    since: float
    follow: bool = False
    service: str = ""
    task: str = ""
    pattern: str = ""


def logs(say: Say, session: Session, wanted: Wanted) -> int:
    """Show the lines there are; with `follow` those that come, until nobody listens any more."""
    tail = _tail(session, wanted)
    lines = Lines(say)
    told = 0
    try:
        while True:
            for line in _asked(say, session, tail, wanted):
                lines.show(line.at, line.service, line.task, line.text, line.id)
                told += 1
                if not say.is_heard:
                    return 0
            if not wanted.follow:
                break
            session.clock.sleep(_PAUSE)
    except KeyboardInterrupt:
        return _INTERRUPTED
    if not told:
        say.note(f"Nothing of that was written in the last {wanted.since:.0f} s.")
    return 0


def _tail(session: Session, wanted: Wanted) -> Tail:
    group = session.document.entries.get(_GROUP)
    if group is None or not group.id:
        raise Incomplete(
            f"The stack {session.suffix} has no log group yet.",
            f"`{session.where.workspace.command('apply', session.suffix)}` makes it.",
        )
    services = _services(session.document)
    if wanted.service and wanted.service not in services:
        near = difflib.get_close_matches(wanted.service, services, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(services)}."
        raise UsageError(f"The stack {session.suffix} has no service {wanted.service}.", hint)
    since = round((session.clock.wall() - wanted.since) * 1000)
    prefix = f"{wanted.service}/" if wanted.service else ""
    return Tail(session.clients.client("logs"), group.id, since, prefix, wanted.pattern)


def _services(document: Document) -> list[str]:
    """What their tasks' streams begin with, as their task definitions say it."""
    return [
        container["logConfiguration"]["options"]["awslogs-stream-prefix"]
        for entry in document.entries.values()
        if entry.kind == _TASKS
        for container in entry.wanted["containerDefinitions"]
    ]


def _asked(say: Say, session: Session, tail: Tail, wanted: Wanted) -> Iterator[Line]:
    """The new lines that are wanted; who follows is not sent away by a connection that is down."""
    try:
        for line in tail.lines():
            if line.stream.startswith(tail.prefix) and line.task.startswith(wanted.task):
                yield line
    except Exception as error:
        if not wanted.follow or fault_of(error) not in PASSING:
            raise _refused(error, session, tail) or error from error
        say.note(f"AWS cannot be heard ({type(error).__name__}); it goes on where it was.", "dim")


def _refused(error: Exception, session: Session, tail: Tail) -> ProvisionerError | None:
    """The error a user meets; None where it is a fault of this tool's own."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code == "ResourceNotFoundException":
        again = session.where.workspace.command("apply", session.suffix)
        return Incomplete(f"The log group {tail.group} is not there.", f"`{again}` makes it again.")
    if code == "InvalidParameterException" and tail.pattern:
        return UsageError(f"AWS takes no filter such as {tail.pattern!r}.", 'For example: --filter "ERROR".')
    return explain(error, f"reading {tail.group}")
