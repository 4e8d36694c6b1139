"""A command that is to run once: the task of an interrupted run of it is found, and its end reported.

The state keeps a pending command from before the call until its end was reported. It is only run a second
time if a person says so, because nobody here knows whether it may run twice.
"""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import uuid4

from provisioner.commands.confirmation import Confirmation
from provisioner.commands.service_controller import ServiceController
from provisioner.engine.run_marker.mark import stamp
from provisioner.errors import Blocked
from provisioner.resources.ecs.revisions import RunningRevision, revision_number
from provisioner.resources.ecs.standalone_tasks import (
    DESCRIBED_FOR_SECONDS,
    Command,
    StandaloneTask,
    find_running,
    find_started,
)
from provisioner.terminal.console import Console
from state.errors import LockHeld, StateError
from state.fingerprints import fingerprint_of
from state.stack_state import PendingCommand

# The results of runs that have reported the end of their task.
_REPORTED_RESULTS = ("ok", "failed")


@dataclass(frozen=True)
class OneTimeCommand:
    """One command to run once, in a task of one service's revision."""

    console: Console
    service: ServiceController
    running: RunningRevision
    command: Command

    @property
    def title(self) -> str:
        """The command's program, its container and its service; the other words may be secret."""
        return f"{self.command.arguments[0]} in the container {self.container} of the service {self.service.title}"

    @property
    def key(self) -> str:
        """The command's key in the state: a salted hash, as a word or a value may be a secret that can be guessed."""
        command = self.command
        overrides = (sorted(command.environment.items()), command.cpu, command.memory, command.image)
        text = json.dumps([command.arguments, overrides] if any(overrides) else command.arguments)
        return fingerprint_of(self.service.session.state.salt, self.service.logical_id, text)

    @property
    def container(self) -> str:
        """The name of the container that runs the command."""
        return str(self.running.container["name"])

    @property
    def _family(self) -> str:
        """The family of the task's revision."""
        return self.service.run_family if self.command.image else str(self.running.task_definition["family"])

    @property
    def question(self) -> str:
        """The question to a person: what runs where, and with what it is otherwise than the service's tasks."""
        command, session = self.command, self.service.session
        image = command.image or f"{self.running.image} (revision {revision_number(self.running.arn)})"
        sizes = ((command.cpu, "CPU units"), (command.memory, "MiB"))
        given_sizes = (f"{number} {unit}" for number, unit in sizes if number is not None)
        overrides = ", ".join([*sorted(command.environment), *given_sizes])
        with_overrides = f", with {overrides}," if overrides else ""
        return (
            f"Run {shlex.join(command.arguments)} in the container {self.container} with {image}"
            f"{with_overrides} in {session.suffix}?"
        )

    def find_task(self, *, again: bool, confirmation: Confirmation) -> StandaloneTask | None:
        """Return an earlier run's task, running or stopped; None if a person agreed to start a new one.

        Raises:
            Blocked: It is unknown whether the command ran, and nobody has said that it may run again.

        """
        session, service = self.service.session, self.service
        if task := find_running(session.clients, service.cluster, self._family, self.container, self.command):
            self.console.note(f"Task {task.id} runs this very command already: no second one is started.")
            return task
        interrupted = None if again else self._interrupted_command()
        if interrupted and (task := self._find_stopped_task(interrupted)):
            return task
        if interrupted and (interrupted.task or session.clock.wall() - interrupted.started_at > DESCRIBED_FOR_SECONDS):
            self._confirm_second_run(interrupted, confirmation)
            return None
        confirmation.confirm(self.console, self.question)
        return None

    def new_pending_command(self, revision: str, *, again: bool) -> PendingCommand:
        """Return the pending command to record before the call that runs it with a revision (an ARN).

        If an earlier call has led to no task, its token is used again: AWS starts one task for both calls.
        """
        now = self.service.session.clock.wall()
        interrupted = None if again else self._interrupted_command()
        is_unsent = (
            interrupted
            and not interrupted.task
            and interrupted.revision == revision
            and now - interrupted.started_at <= DESCRIBED_FOR_SECONDS
        )
        return PendingCommand(interrupted.token if interrupted and is_unsent else uuid4().hex, now, revision)

    def forget_pending_command(self, task: StandaloneTask, timeout: float) -> None:
        """Remove the pending command from the state, because its end was reported.

        If another run holds the stack, the state stays as it is: this run's record tells of the end.
        """
        session = self.service.session
        with suppress(LockHeld, StateError), session.locked("run", timeout):
            session.executor().state_manager.record_command_end(self.key, task.arn)

    def _interrupted_command(self) -> PendingCommand | None:
        """Return the pending command of an earlier run that did not report its end; None if there is none."""
        pending = self.service.session.state.pending_commands.get(self.key)
        return pending if pending and not self._was_reported(pending.task) else None

    def _was_reported(self, task: str) -> bool:
        """Return whether a run on this machine reported the task's end without writing it into the state."""
        session = self.service.session
        records = session.options.workspace.runs.records_of(session.suffix) if task else iter(())
        with suppress(StateError):  # a record that cannot be read tells nothing
            return any(record.get("task") == task and record.get("result") in _REPORTED_RESULTS for record in records)
        return False

    def _find_stopped_task(self, interrupted: PendingCommand) -> StandaloneTask | None:
        """Return the stopped task of an interrupted run and name it; None if ECS does not know it."""
        session, service = self.service.session, self.service
        task = find_started(
            session.clients, service.cluster, self.container, self.command, interrupted.started_at, interrupted.task
        )
        if task:
            number = revision_number(interrupted.revision)
            is_same = self.command.image or interrupted.revision == self.running.arn
            revision_note = "" if is_same else f" (revision {number})"
            self.console.note(
                f"Task {task.id}{revision_note} ran this very command, begun at "
                f"{stamp(interrupted.started_at)} by a run that was cut "
                "off. This is how it ended:"
            )
        return task

    def _confirm_second_run(self, interrupted: PendingCommand, confirmation: Confirmation) -> None:
        """Ask whether the command may run a second time; `--yes` does not answer this question.

        Raises:
            Blocked: There is no terminal to ask at.

        """
        message = (
            f"{self.title} was begun at {stamp(interrupted.started_at)} by a run that was cut off. It is "
            "not known whether "
            "it ran: ECS tells of a task for about an hour after its end."
        )
        if not sys.stdin.isatty():
            log = self.service.session.options.workspace.command("logs", self.service.session.suffix)
            raise Blocked(message, f"`{log} --since 2d` may tell. `--again` starts a new task.")
        replace(confirmation, yes=False).confirm(self.console, f"{message}\nStart a new task?")
