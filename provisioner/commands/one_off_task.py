"""`run`: one command in a task of its own, as the service's tasks run; its output and exit code are ours.

An interrupted run leaves its task running; the same command finds the task and follows it (`pending_command.py`).
"""

from __future__ import annotations

import operator
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError
from tenacity import stop_never, wait_fixed

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.image_pull import require_pullable
from provisioner.commands.pending_command import OneTimeCommand
from provisioner.commands.plan_context import print_header
from provisioner.commands.run_recording import record_run, without_other_runs
from provisioner.commands.service_controller import service_controller
from provisioner.commands.signals import EXIT_CODES, handle_signals
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.engine.calls.error_categories import code_of, describe_error
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_errors
from provisioner.names import owner_tags
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.standalone_tasks import (
    CLOCK_SKEW_SECONDS,
    ON_DEMAND,
    SPOT,
    Command,
    StandaloneTask,
    read_task,
    start_task,
    stop_task,
)
from provisioner.resources.log_tail import LogLine, LogTail
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.console import Console
from state.errors import ProvisionerError

# Seconds between two looks.
_POLL_INTERVAL = 1.0
# Seconds after its end in which a task's last lines may come: the awslogs driver sends every 5 s (moby,
# daemon/logger/awslogs, defaultForceFlushInterval).
_LATE_LINES = 6.0


@dataclass(frozen=True)
class RunOptions:
    """The options of a run: the command, the service as whose task it runs, and the capacity."""

    confirmation: Confirmation
    words: tuple[str, ...]
    service: str = ""
    spot: bool = False
    lock_timeout: float = 0.0
    # Whether to run it again although a run of it was interrupted.
    again: bool = False


def run_once(console: Console, session: Session, options: RunOptions) -> int:
    """Start the task or find it, show its output, and return its exit code."""
    print_header(console, session)
    command = Command(options.words, SPOT if options.spot else ON_DEMAND)
    with record_run(session, "run") as record, ExitStack() as cleanup:
        with session.locked("run", options.lock_timeout), without_other_runs(session, check_at_end=False):
            service = service_controller(session, options.service)
            with user_errors(f"starting a task of {service.aws_name}"):
                running = service.running()
                one_time_command = OneTimeCommand(console, service, running, command)
                earlier_task = one_time_command.find_task(again=options.again, confirmation=options.confirmation)
                # Before there is a task: a signal during its start also asks it to end.
                caught_signals = cleanup.enter_context(handle_signals(console, session.clock))
                if not earlier_task:
                    require_pullable(console, session, images_of(running.task_definition))
                task = earlier_task or _start_task(one_time_command, again=options.again)
        record.task = task.arn
        clients = Clients(session.aws, Clock())
        # The lock is released here: a task of its own changes nothing of the stack, and may take hours.
        followed = FollowedTask(
            console, clients, service.cluster, task, _log_tail(session, running, task), caught_signals
        )
        try:
            with user_errors(f"following task {task.id}"):
                code = followed.follow(session.clock)
            record.finish("ok" if code == 0 else "failed", code)
        finally:
            if followed.is_reported:
                one_time_command.forget_pending_command(task, options.lock_timeout)
        if earlier_task and earlier_task.has_stopped:
            console.note(f"No new task was started for {one_time_command.title}: `--again` starts one.", "yellow")
    return code


def _start_task(command: OneTimeCommand, *, again: bool) -> StandaloneTask:
    """Start the task; the pending command is in the state before the call, and the task's ARN after it."""
    session, service, state_manager = command.service.session, command.service, command.service.executor.state_manager
    pending = command.new_pending_command(again=again)
    state_manager.record_command(command.key, pending)
    tags, recent = owner_tags(session.suffix), service.executor.resource_calls.recent
    task = start_task(session.clients, service.cluster, command.running, command.command, pending.token, tags, recent)
    state_manager.record_command(command.key, replace(pending, task=task.arn))
    command.console.note(f"Task {task.id} of {service.title} starts on {command.command.capacity_provider}.", "dim")
    return task


def _log_tail(session: Session, running: RunningRevision, task: StandaloneTask) -> LogTail | None:
    """Return the task's own stream of the service's log; None if the log is written elsewhere."""
    log = running.container.get("logConfiguration", {})
    options = log.get("options", {})
    if log.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
        return None
    stream = f"{options['awslogs-stream-prefix']}/{task.container}/{task.id}"
    logs = Clients(session.aws, Clock()).client("logs")
    since = round((task.actual["createdAt"].timestamp() - CLOCK_SKEW_SECONDS) * 1000)
    return LogTail(logs, options["awslogs-group"], since, stream)


@dataclass
class FollowedTask:
    """A task that is followed: its lines are shown, and the first signal asks it to end."""

    console: Console
    clients: Clients
    cluster: str
    task: StandaloneTask
    tail: LogTail | None
    caught: list[int]
    # Whether the end of the task was reported to the user.
    is_reported: bool = False

    def follow(self, signal_clock: Clock) -> int:
        """Follow the task to its end; return its exit code, or a signal's if one ended it.

        `signal_clock` is the clock that the first signal stops.
        """
        try:
            self._follow(signal_clock)
        except Stopped:
            self._ask_to_end()
            self._follow(self.clients.clock)
        self._print_late_lines()
        self.is_reported = True
        if self.caught:
            self._print_end()
            return EXIT_CODES[signal.Signals(self.caught[0])]
        return self._exit_code_or_raise()

    def _follow(self, clock: Clock) -> None:
        """Show new lines and read the task until it has stopped; raise Stopped where `clock` is stopped."""

        def has_stopped() -> bool:
            self._print_new_lines()
            self.task = read_task(self.clients, self.cluster, self.task)
            return self.task.has_stopped

        if not self.task.has_stopped:
            self._poll(clock, has_stopped)

    def _ask_to_end(self) -> None:
        self.console.note(
            f"Asking task {self.task.id} to end; it has 30 s for it. "
            "Another signal stops waiting for it: the same command then shows how it ended."
        )
        stop_task(self.clients, self.cluster, self.task)

    def _poll(self, clock: Clock, has_ended: Callable[[], bool]) -> None:
        policy = RetryPolicy(clock, stop_never, wait=wait_fixed(self._scaled(_POLL_INTERVAL)))
        policy.poll(has_ended, is_pending=operator.not_)

    def _print_new_lines(self) -> bool:
        """Show new lines; return whether there were any."""
        any_new = False
        for line in self._new_lines():
            if self.tail and line.stream != self.tail.prefix:
                continue
            any_new = True
            if self.console.as_json:
                self.console.record("line", at=line.timestamp, task=line.task, text=line.text)
            else:
                self.console.container_line(line.text)
        return any_new

    def _new_lines(self) -> Iterator[LogLine]:
        """Yield new lines; if the log cannot be read, say so once and go on following the task."""
        try:
            if self.tail:
                yield from self.tail.lines()
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                self.console.note(f"Its lines cannot be read: {describe_error(error)}", "yellow")
                self.tail = None

    def _print_late_lines(self) -> None:
        """Show the lines that come after the end, until none has come for a while."""
        clock = self.clients.clock
        quiet_seconds = max(_LATE_LINES * self.clients.aws.speed, 2 * self.clients.aws.hidden_seconds)
        last_line_at = clock.now()

        def is_quiet() -> bool:
            nonlocal last_line_at
            if self._print_new_lines():
                last_line_at = clock.now()
            return clock.now() - last_line_at >= quiet_seconds

        self._poll(clock, is_quiet)

    def _scaled(self, seconds: float) -> float:
        """Return a wait in seconds by the emulator's speed."""
        return max(seconds * self.clients.aws.speed, 0.05)

    def _exit_code_or_raise(self) -> int:
        """Return the task's exit code; raise if it did not run, or lost its Spot capacity."""
        end, code = self.task.diagnosis, self.task.exit_code
        if self.task.was_reclaimed:
            raise ProvisionerError(
                f"AWS took the Spot capacity of task {self.task.id} back: {end.stop_reason}.",
                "Run it again, without --spot where it must not be cut off.",
            )
        if code is None:
            raise ProvisionerError(f"The task did not run: {end.description}", end.remedy)
        self._print_end()
        return code

    def _print_end(self) -> None:
        """Print how the task ended; it may have finished its command before a signal asked it to end."""
        end, code = self.task.diagnosis, self.task.exit_code
        if self.console.as_json:
            self.console.record("ended", task=self.task.id, exit_code=code, reason=end.stop_reason)
        how = f"without an exit code: {end.stop_reason}." if code is None else f"with exit code {code}."
        self.console.note(f"Task {self.task.id} ended {how}", "dim" if code == 0 else "red")
