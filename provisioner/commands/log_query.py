"""`logs`: what the tasks, the balancer, the database and the firewall have written, and write."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from botocore.exceptions import ClientError
from tenacity import stop_never, wait_fixed

from provisioner.commands.stack_services import MAIN_SERVICE, check_service_name, service_state
from provisioner.engine.calls.error_categories import TRANSIENT, categorize
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_error, user_errors
from provisioner.engine.run_marker.mark import stamp
from provisioner.errors import Incomplete, UsageError, quoted
from provisioner.resources.access_log_tail import AccessLogTail
from provisioner.resources.ecs.ended_tasks import find_last_ended_stream, read_last_ended_task
from provisioner.resources.ecs.standalone_tasks import CLOCK_SKEW_SECONDS
from provisioner.resources.log_tail import MAIN_CONTAINER, LogLine, LogTail
from provisioner.service_clients import S3, CloudWatchLogs
from provisioner.session import Session
from provisioner.steps.access_logs import BALANCER_PREFIX
from provisioner.stopping import exit_code
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import LogPrinter
from state.errors import ProvisionerError

TASKS, ALB = "tasks", "alb"
# The logical name of the log group, by its name in `--from`.
_LOG_GROUPS = {TASKS: "ecs-logs", "database": "aurora-logs", "firewall": "waf-logs"}
_BUCKET = "logs-bucket"
# Seconds before now.
_DEFAULT_SINCE = 3600.0


@dataclass(frozen=True)
class LogQuery:
    """The selection of log lines.

    `since` and `until` are in seconds before now; `service` and `task` (the beginning of an id) select tasks;
    `pattern` is a filter of the text. `limit` is the number of the newest lines, None for all; with `follow` it
    counts for what there is at the beginning. `previous` selects the task of the service that ended last, all of it
    unless `since` is given.
    """

    since: float | None = None
    follow: bool = False
    service: str = ""
    task: str = ""
    pattern: str = ""
    source: str = TASKS
    until: float = 0.0
    limit: int | None = None
    previous: bool = False

    @property
    def since_seconds(self) -> float:
        """How far back the lines begin, in seconds before now."""
        return _DEFAULT_SINCE if self.since is None else self.since

    @property
    def prefix(self) -> str:
        """The beginning of the names of the streams."""
        if self.previous:
            return f"{self.service}/{MAIN_CONTAINER}/{self.task}"
        return f"{self.service}/" if self.service else ""


class LogSource(Protocol):
    """A source that yields each line once; the next reading goes on from there."""

    pattern: str

    @property
    def name(self) -> str:
        """The name of the log group or bucket."""

    @property
    def poll_seconds(self) -> float:
        """The seconds between two readings."""

    def lines(self) -> Iterator[LogLine]:
        """Yield the lines that were not yielded yet."""


def source_of(session: Session, query: LogQuery) -> LogSource:
    """Return the source of the lines that are wanted.

    Raises:
        UsageError: The options contradict each other, or there is no such service.
        Incomplete: The stack does not have this log.

    """
    if query.until and (query.follow or query.until >= query.since_seconds):
        reason = "--follow goes on from now" if query.follow else "it is not later than --since"
        raise UsageError(f"--until cannot be used: {reason}.", "For example: --since 2h --until 1h")
    if query.source != TASKS and (query.service or query.task):
        raise UsageError(f"--service and --task choose among tasks, not in --from {query.source}.")
    now = session.clock.wall()
    since = round((now - query.since_seconds) * 1000)
    until = round((now - query.until) * 1000) if query.until else None
    if query.source == ALB:
        return _access_log(session, query, since, until)
    logical_id = _LOG_GROUPS[query.source]
    group = session.state.resources.get(logical_id)
    if group is None or not group.id:
        raise Incomplete(
            f"The stack {session.suffix} has no log group of its {query.source}.",
            f"`{session.options.workspace.command('apply', session.suffix)}` makes what the settings ask for.",
        )
    check_service_name(session.state, query.service)
    logs = session.clients.client(CloudWatchLogs, group.region)
    return LogTail(logs, group.id, since, query.prefix, query.pattern, until)


def _access_log(session: Session, query: LogQuery, since: int, until: int | None) -> AccessLogTail:
    """Return the load balancer's log in its bucket.

    An application load balancer writes to no log group, only to a bucket (ELB user guide, access logs).
    """
    location, bucket = session.location, session.state.resources.get(_BUCKET)
    if bucket is None or not bucket.id:
        raise Incomplete(
            f"Nobody records the requests to the load balancer of {session.suffix}: it can write to a bucket "
            "alone, so its log group stays empty.",
            f"`{session.options.workspace.command('apply', session.suffix)} --set logs.requests=true` makes it "
            "(and write it into your settings file).",
        )
    folder = f"{BALANCER_PREFIX}/AWSLogs/{location.account}/elasticloadbalancing/{location.region}"
    return AccessLogTail(session.clients.client(S3), bucket.id, folder, since, query.pattern, until)


def previous_task_query(console: Console, session: Session, query: LogQuery) -> LogQuery:
    """Return the query for the task of the service that ended last, and say which one it is.

    Raises:
        UsageError: Another option chooses tasks or a source, or goes on with what comes.
        ProvisionerError: No task of the service has ended, as far as AWS can tell.

    """
    if query.follow or query.task or query.source != TASKS:
        option = "--follow" if query.follow else "--task" if query.task else f"--from {query.source}"
        raise UsageError(f"--previous is the task that ended last: {option} does not go with it.", "Leave one out.")
    name = query.service or MAIN_SERVICE
    service = service_state(session, query.service)
    cluster, group = service.desired["cluster"], session.state.resources.get(_LOG_GROUPS[TASKS])
    with user_errors(f"looking for the task of {service.aws_name} that ended last"):
        task = read_last_ended_task(session.clients, cluster, service.aws_name)
        if task is None and group and group.id:
            task = find_last_ended_stream(session.clients, cluster, group.id, f"{name}/{MAIN_CONTAINER}/")
    if task is None:
        logs = session.options.workspace.command(f"logs --service {name}", session.suffix)
        raise ProvisionerError(f"No task of {service.aws_name} has ended yet.", f"`{logs}` shows those that run.")
    reason = f": {task.reason}" if task.reason else ""
    console.note(f"Task {task.id} of {name} ended at {stamp(task.ended_at)}{reason}.", "dim")
    since = session.clock.wall() - task.created_at + CLOCK_SKEW_SECONDS
    return replace(query, service=name, task=task.id, since=since if query.since is None else query.since)


def print_logs(console: Console, session: Session, query: LogQuery) -> int:
    """Show the lines there are; with `follow`, also new ones. Return the exit code."""
    if query.previous:
        query = previous_task_query(console, session, query)
    tail = source_of(session, query)
    lines = LogPrinter(console)
    any_shown, is_first_reading = False, True

    def has_ended() -> bool:
        nonlocal any_shown, is_first_reading
        wanted: Iterable[LogLine] = selected_lines(console, session, tail, query)
        if query.limit and is_first_reading:
            wanted = deque(wanted, query.limit)
        is_first_reading = False
        for line in wanted:
            lines.print(line)
            any_shown = True
            if not console.is_stdout_open:
                return True
        session.aws.calls.forget()
        return not query.follow

    policy = RetryPolicy(session.clock, stop_never, wait=wait_fixed(tail.poll_seconds))
    try:
        policy.poll(has_ended, is_pending=operator.not_)
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    if not any_shown:
        console.note(
            f"Nothing of that was written in the last {_as_duration(round(query.since_seconds))}"
            f"{f' until {_as_duration(query.until)} ago' if query.until else ''}; --since looks further back."
        )
    return 0


def _as_duration(seconds: float) -> str:
    """Return a duration as --since takes it."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and not seconds % size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def selected_lines(console: Console, session: Session, tail: LogSource, query: LogQuery) -> Iterator[LogLine]:
    """Yield the new lines that are wanted; with `follow`, a lost connection does not end the command."""
    try:
        for line in tail.lines():
            if line.stream.startswith(query.prefix) and line.task.startswith(query.task):
                yield line
    except Exception as error:
        if not query.follow or categorize(error) not in TRANSIENT:
            raise _error_to_show(error, session, tail) or error from error
        console.note(f"AWS cannot be heard ({type(error).__name__}); it goes on where it was.", "dim")


def _error_to_show(error: Exception, session: Session, tail: LogSource) -> ProvisionerError | None:
    """Return the error to show for an exception; None if it is a fault of this tool."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code == "ResourceNotFoundException":
        apply_command = session.options.workspace.command("apply", session.suffix)
        return Incomplete(f"The log group {tail.name} is not there.", f"`{apply_command}` makes it again.")
    if code == "InvalidParameterException" and tail.pattern:
        return UsageError(f"AWS takes no filter such as {quoted(tail.pattern)}.", 'For example: --filter "ERROR".')
    return user_error(error, f"reading {tail.name}")
