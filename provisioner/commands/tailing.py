"""`logs`: past and new log lines of the tasks, the load balancer, the database and the firewall."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from provisioner.commands.sources import LogQuery, LogSource, source_of
from provisioner.engine.calls.error_categories import TRANSIENT, categorize
from provisioner.engine.calls.user_errors import user_error
from provisioner.errors import Incomplete, UsageError, quoted
from provisioner.resources.log_events import Line
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.logs import Lines
from provisioner.terminal.say import Console
from state.errors import ProvisionerError


def logs(console: Console, session: Session, query: LogQuery) -> int:
    """Show the lines there are; with `follow`, also new ones. Return the exit code."""
    tail = source_of(session, query)
    lines = Lines(console)
    told = 0
    try:
        while True:
            for line in _asked(console, session, tail, query):
                lines.show(line)
                told += 1
                if not console.is_heard:
                    return 0
            if not query.follow:
                break
            session.aws.calls.forget()
            session.clock.sleep(tail.pause)
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    if not told:
        console.note(f"Nothing of that was written in the last {_told(query.since)}; --since looks further back.")
    return 0


def _told(seconds: float) -> str:
    """Return a duration as --since takes it."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and not seconds % size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def _asked(console: Console, session: Session, tail: LogSource, query: LogQuery) -> Iterator[Line]:
    """Yield the new lines that are wanted; with `follow`, a lost connection does not end the command."""
    try:
        for line in tail.lines():
            if line.stream.startswith(query.prefix) and line.task.startswith(query.task):
                yield line
    except Exception as error:
        if not query.follow or categorize(error) not in TRANSIENT:
            raise _refused(error, session, tail) or error from error
        console.note(f"AWS cannot be heard ({type(error).__name__}); it goes on where it was.", "dim")


def _refused(error: Exception, session: Session, tail: LogSource) -> ProvisionerError | None:
    """Return the error to show for an exception; None if it is a fault of this tool."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code == "ResourceNotFoundException":
        again = session.options.workspace.command("apply", session.suffix)
        return Incomplete(f"The log group {tail.name} is not there.", f"`{again}` makes it again.")
    if code == "InvalidParameterException" and tail.pattern:
        return UsageError(f"AWS takes no filter such as {quoted(tail.pattern)}.", 'For example: --filter "ERROR".')
    return user_error(error, f"reading {tail.name}")
