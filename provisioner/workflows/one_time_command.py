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

from provisioner.engine.run_marker.mark import stamp
from provisioner.errors import Blocked
from provisioner.resources.ecs.revisions import RunningRevision, number
from provisioner.resources.ecs.standalone_tasks import TOLD_FOR, Command, StandaloneTask, find_running, find_started
from provisioner.terminal.console import Console
from provisioner.workflows.confirmation import Confirmation
from provisioner.workflows.service_controller import ServiceController
from state.errors import LockHeld, StateError
from state.fingerprints import fingerprint_of
from state.stack_state import PendingCommand

# The results of runs that have reported the end of their task.
_TOLD = ("ok", "failed")


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
        container = self.running.container["name"]
        return f"{self.command.words[0]} in the container {container} of the service {self.service.title}"

    @property
    def key(self) -> str:
        """The command's key in the state: a salted hash, as a word may be a secret that can be guessed."""
        return fingerprint_of(self.service.session.state.salt, self.service.logical_id, json.dumps(self.command.words))

    def found(self, *, again: bool, confirmation: Confirmation) -> StandaloneTask | None:
        """Return an earlier run's task, running or stopped; None if a person agreed to start a new one.

        Raises:
            Blocked: It is unknown whether the command ran, and nobody has said that it may run again.

        """
        session, service = self.service.session, self.service
        if found := find_running(session.clients, service.cluster, self.running, self.command):
            self.console.note(
                f"Task {found.id} runs this very command already: it is followed, no second one is started."
            )
            return found
        cut = None if again else self._cut_off()
        if cut and (found := self._ended(cut)):
            return found
        if cut and (cut.task or session.clock.wall() - cut.started_at > TOLD_FOR):
            self._ask_whether_anew(cut, confirmation)
            return None
        image = f"{self.running.image} (revision {number(self.running.arn)})"
        where = f"in the container {self.running.container['name']} with {image} in {session.suffix}"
        confirmation.confirm(self.console, f"Run {shlex.join(self.command.words)} {where}?")
        return None

    def begun(self, *, again: bool) -> PendingCommand:
        """Return the pending command to record before the call.

        If an earlier call has led to no task, its token is used again: AWS starts one task for both calls.
        """
        wall = self.service.session.clock.wall()
        cut = None if again else self._cut_off()
        is_unsent = cut and not cut.task and cut.revision == self.running.arn and wall - cut.started_at <= TOLD_FOR
        return PendingCommand(cut.token if cut and is_unsent else uuid4().hex, wall, self.running.arn)

    def forget(self, task: StandaloneTask, timeout: float) -> None:
        """Remove the pending command from the state, because its end was reported.

        If another run holds the stack, the state stays as it is: this run's record tells of the end.
        """
        session = self.service.session
        with suppress(LockHeld, StateError), session.locked("run", timeout):
            session.executor().state_manager.record_command_end(self.key, task.arn)

    def _cut_off(self) -> PendingCommand | None:
        """Return the pending command of an earlier run that did not report its end; None if there is none."""
        pending = self.service.session.state.pending_commands.get(self.key)
        return pending if pending and not self._was_told(pending.task) else None

    def _was_told(self, task: str) -> bool:
        """Return whether a run on this machine reported the task's end without writing it into the state."""
        session = self.service.session
        records = session.options.workspace.runs.records_of(session.suffix) if task else iter(())
        with suppress(StateError):  # a record that cannot be read tells nothing
            return any(one.get("task") == task and one.get("result") in _TOLD for one in records)
        return False

    def _ended(self, cut: PendingCommand) -> StandaloneTask | None:
        """Return the stopped task of an interrupted run and name it; None if ECS does not know it."""
        session, service = self.service.session, self.service
        found = find_started(session.clients, service.cluster, self.running, self.command, cut.started_at, cut.task)
        if found:
            of = "" if cut.revision == self.running.arn else f" (revision {number(cut.revision)})"
            self.console.note(
                f"Task {found.id}{of} ran this very command, begun at {stamp(cut.started_at)} by a run that was cut "
                "off. This is how it ended:"
            )
        return found

    def _ask_whether_anew(self, cut: PendingCommand, confirmation: Confirmation) -> None:
        """Ask whether the command may run a second time; `--yes` does not answer this question.

        Raises:
            Blocked: There is no terminal to ask at.

        """
        told = (
            f"{self.title} was begun at {stamp(cut.started_at)} by a run that was cut off. It is not known whether "
            "it ran: ECS tells of a task for about an hour after its end."
        )
        if not sys.stdin.isatty():
            log = self.service.session.options.workspace.command("logs", self.service.session.suffix)
            raise Blocked(told, f"`{log} --since 2d` may tell. `--again` runs it anew.")
        replace(confirmation, yes=False).confirm(self.console, f"{told}\nRun it anew?")
