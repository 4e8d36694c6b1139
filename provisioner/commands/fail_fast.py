"""`--fail-fast`: a deployment is given up at the first task whose stop shows that it cannot succeed."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from botocore.exceptions import ClientError

from provisioner.commands.service_controller import ServiceController
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, describe_error
from provisioner.resources.ecs.fatal_task_stops import fatal_stop_reason, stopped_task_arns
from provisioner.resources.ecs.rollout_watch import RolloutWatch
from provisioner.terminal.console import Console


@dataclass
class FailFast:
    """The search for a fatal stop among the tasks of one deployment.

    Attributes:
        earlier_tasks: The tasks that had stopped before; None if stopped tasks are not looked at.
        has_ended: Whether the deployment was given up, or stopped tasks may not be read.

    """

    console: Console
    service: ServiceController
    watch: RolloutWatch
    earlier_tasks: Set[str] | None
    has_ended: bool = False

    def check(self) -> None:
        """Stop the deployment if a task's stop was fatal; look no further after that, or if AWS denies it."""
        if self.earlier_tasks is None or not self.watch.arn or self.has_ended:
            return
        try:
            self.has_ended = self._give_up_on_fatal_stop(self.earlier_tasks)
        except ClientError as error:
            _warn_denied(self.service, error)
            self.has_ended = True

    def _give_up_on_fatal_stop(self, earlier_tasks: Set[str]) -> bool:
        """Stop the deployment if a task's stop was fatal; return whether one was."""
        service, revision = self.service, self.watch.revision
        reason = fatal_stop_reason(service.session.clients, service.cluster, service.aws_name, revision, earlier_tasks)
        if reason:
            self.console.note(f"A task stopped ({reason}): the deployment is given up.", "yellow")
            self.watch.roll_back()
        return bool(reason)


def read_stopped_tasks(service: ServiceController) -> Set[str] | None:
    """Return the stopped tasks; if they may not be read, report that and return None."""
    try:
        return stopped_task_arns(service.session.clients, service.cluster, service.aws_name)
    except ClientError as error:
        _warn_denied(service, error)
        return None


def _warn_denied(service: ServiceController, error: ClientError) -> None:
    """Report that `--fail-fast` cannot work for lack of a permission; raise any other error again."""
    if categorize(error) is not ErrorCategory.DENIED:
        raise error
    service.session.warn(
        f"--fail-fast cannot end this early: {describe_error(error)}", "ECS's own verdict is waited for."
    )
