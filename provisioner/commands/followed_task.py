"""A one-off task that is followed to its end: its lines are shown, and the first signal asks it to end."""

from __future__ import annotations

import operator
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError
from tenacity import stop_never, wait_fixed

from provisioner.commands.signals import EXIT_CODES
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.engine.calls.error_categories import code_of, describe_error
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.standalone_tasks import CLOCK_SKEW_SECONDS, StandaloneTask, read_task, stop_task
from provisioner.resources.log_tail import LogLine, LogTail
from provisioner.service_clients import CloudWatchLogs
from provisioner.session import Session
from provisioner.terminal.console import Console
from state.errors import ProvisionerError

# Seconds between two looks.
_POLL_INTERVAL = 1.0
# Seconds after its end in which a task's last lines may come: the awslogs driver sends every 5 s (moby,
# daemon/logger/awslogs, defaultForceFlushInterval).
_LATE_LINES = 6.0


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
            self._record_end()
            self.console.note(f"Task {self.task.id} {self.end_in_words}.", "dim")
            return EXIT_CODES[signal.Signals(self.caught[0])]
        return self._exit_code_or_raise()

    @property
    def end_in_words(self) -> str:
        """How the task ended; it may have finished its command before a signal asked it to end."""
        code = self.task.exit_code
        how = f"without an exit code: {self.task.diagnosis.stop_reason}" if code is None else f"with exit code {code}"
        return f"ended {how}"

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
        self._record_end()
        return code

    def _record_end(self) -> None:
        """Write the end of the task into the JSON lines."""
        if self.console.as_json:
            end, code = self.task.diagnosis, self.task.exit_code
            self.console.record("ended", task=self.task.id, exit_code=code, reason=end.stop_reason)


def task_log_tail(session: Session, running: RunningRevision, task: StandaloneTask) -> LogTail | None:
    """Return the task's own stream of the service's log; None if the log is written elsewhere."""
    log = running.container.get("logConfiguration", {})
    options = log.get("options", {})
    if log.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
        return None
    stream = f"{options['awslogs-stream-prefix']}/{task.container}/{task.id}"
    logs = Clients(session.aws, Clock()).client(CloudWatchLogs)
    since = round((task.actual["createdAt"].timestamp() - CLOCK_SKEW_SECONDS) * 1000)
    return LogTail(logs, options["awslogs-group"], since, stream)
