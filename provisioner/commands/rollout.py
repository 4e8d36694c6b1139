"""Follows one deployment to its real end, and reports its progress."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from botocore.exceptions import ClientError
from tenacity import stop_after_delay

from provisioner.commands.service_controller import ServiceController
from provisioner.commands.signals import EXIT_CODES, handle_signals
from provisioner.engine.calls.clock import Stopped
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, describe_error
from provisioner.engine.calls.polling import wait_until_due
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Interrupted, RolledBack, Superseded, WaitTimeout
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.deployment_diagnosis import diagnose
from provisioner.resources.ecs.fatal_task_stops import fatal_stop_reason, stopped_task_arns
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.rollout_watch import RolloutStage, RolloutWatch
from provisioner.resources.ecs.rollouts import deployment_arns, list_rollouts
from provisioner.resources.ecs.service_deployments import (
    FAILED_STATUSES,
    ROLLED_BACK,
    STOPPED_BY_HAND_HINT,
    SUCCESSFUL,
    SupersedingDeployment,
)
from provisioner.resources.ecs.traffic_shifts import read_awaited_hook, strategy_seconds
from provisioner.terminal.console import Console
from state.errors import ProvisionerError
from state.serialization import json_fields


@dataclass
class PreviousDeployments:
    """What existed before a deployment began: deployments, their revisions, and stopped tasks."""

    rollouts: Set[str] = field(default_factory=frozenset)
    revisions: Set[str] = field(default_factory=frozenset)
    # None if stopped tasks are of no interest, or may not be read.
    stopped_tasks: Set[str] | None = field(default_factory=frozenset)
    # How many seconds ECS itself plans to take: steps and bake time of its own strategies.
    planned_seconds: float = 0.0

    @classmethod
    def read(
        cls, service: ServiceController, running: RunningRevision, revision: str, *, under_way: bool, fail_fast: bool
    ) -> PreviousDeployments:
        """Return what exists before the call that begins a deployment.

        If the deployment is already `under_way`, the newest one does not count as earlier, provided that it
        is of this revision.
        """
        clients = service.session.clients
        arns = deployment_arns(clients, service.cluster, service.aws_name, service.session.warn)
        earlier_revisions = frozenset(deployment["taskDefinition"] for deployment in running.service["deployments"])
        planned = strategy_seconds(running.service)
        if not under_way:
            return cls(frozenset(arns), earlier_revisions, _read_stopped_tasks(service) if fail_fast else None, planned)
        earlier = frozenset(arns[1:])
        newest_rollouts = list_rollouts(clients, service.cluster, service.aws_name, earlier) or []
        is_own = any(deployment.revision == revision for deployment in newest_rollouts)
        return cls(earlier if is_own else frozenset(arns), earlier_revisions, planned_seconds=planned)


def _read_stopped_tasks(service: ServiceController) -> Set[str] | None:
    """Return the stopped tasks; if they may not be read, report that and return None."""
    try:
        return stopped_task_arns(service.session.clients, service.cluster, service.aws_name)
    except ClientError as error:
        _warn_fail_fast_denied(service, error)
        return None


def _warn_fail_fast_denied(service: ServiceController, error: ClientError) -> None:
    """Report that `--fail-fast` cannot work for lack of a permission; raise any other error again."""
    if categorize(error) is not ErrorCategory.DENIED:
        raise error
    service.session.warn(
        f"--fail-fast cannot end this early: {describe_error(error)}", "ECS's own verdict is waited for."
    )


@dataclass(frozen=True)
class RolloutFollower:
    """A wait for one deployment; with `fail_fast` it ends at the first task that cannot succeed."""

    console: Console
    service: ServiceController
    before: PreviousDeployments
    fail_fast: bool = False

    def follow(self, revision: str) -> None:
        """Wait until ECS says that the revision runs.

        Raises:
            RolledBack: ECS gave the deployment up; the error says all that is known of why.
            Superseded: A newer deployment took its place.
            WaitTimeout: The deployment takes longer than its timeout.

        """
        service, clock, before = self.service, self.service.session.clock, self.before
        earlier = (before.rollouts, before.revisions)
        watch = RolloutWatch(service.session.clients, service.cluster, service.aws_name, revision, *earlier)
        resource_type = RESOURCE_TYPES["Service"]
        typical_seconds = service.executor.durations.typical_seconds(
            resource_type, service.session.location.region, "update", "ready"
        )
        last_stage: list[RolloutStage] = []
        fatal_reasons: list[str] = []

        def probe() -> RolloutStage | None:
            stage = watch.read_stage()
            if [stage] != last_stage:
                last_stage[:] = [stage]
                self._print_progress(revision, stage)
            if stage.status == SUCCESSFUL or stage.status in FAILED_STATUSES:
                return stage
            if self.fail_fast and self.before.stopped_tasks is not None and watch.arn and not fatal_reasons:
                fatal_reasons.extend(self._give_up_on_fatal_stop(watch, revision))
            return None

        timeout = resource_type.timeout + before.planned_seconds
        final_stage = RetryPolicy(clock, stop_after_delay(timeout), wait=wait_until_due(typical_seconds)).poll(probe)
        if final_stage is None:
            waits = last_stage[-1].awaited_hook if last_stage else ""
            raise WaitTimeout(
                f"{service.aws_name} is not there after {timeout:.0f} s; {waits or 'ECS is still at it'}.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
        if watch.successor:
            raise self._superseded_error(revision, final_stage, watch.successor)
        if final_stage.status != SUCCESSFUL:
            raise self._failure_error(revision, final_stage, by_hand=watch.is_stopped_by_hand and not fatal_reasons)

    def _print_progress(self, revision: str, stage: RolloutStage) -> None:
        """Report the progress of the deployment."""
        if self.console.as_json:
            self.console.record("deployment", service=self.service.title, revision=revision, **json_fields(stage))
        self.console.note(f"  {stage.description}", "dim")

    def _give_up_on_fatal_stop(self, watch: RolloutWatch, revision: str) -> list[str]:
        """Stop the deployment if a stopped task shows that it cannot succeed; return the reason, or nothing.

        If stopped tasks may not be read, return that error: then they are not looked at again.
        """
        service, before = self.service, self.before.stopped_tasks or frozenset()
        try:
            if reason := fatal_stop_reason(
                service.session.clients, service.cluster, service.aws_name, revision, before
            ):
                self.console.note(f"A task stopped ({reason}): the deployment is given up.", "yellow")
                watch.roll_back()
                return [reason]
        except ClientError as error:
            _warn_fail_fast_denied(service, error)
            return [describe_error(error)]
        return []

    def _superseded_error(
        self, revision: str, stage: RolloutStage, successor: SupersedingDeployment
    ) -> ProvisionerError:
        """Return the error that another deployment superseded this one; it does not blame the image."""
        service = self.service
        running = service.record_revision()
        began = f"{datetime.fromtimestamp(successor.created_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        own_revision, other_revision = (arn.rpartition("/")[2] for arn in (revision, successor.revision))
        failed = f"; {stage.failed_count} of its tasks had failed by then" if stage.failed_count else ""
        return Superseded(
            f"The deployment of {own_revision} to {service.aws_name} was superseded: that of "
            f"{other_revision} began at {began}, "
            f"before it had ended{failed}. ECS has not judged the image.\n"
            f"    {describe_remaining(service.title, running.image, running.arn, same=False, back=False)}",
            "Somebody else deploys, too: CloudTrail tells who called UpdateService then. "
            "Run the same command again if yours is to run.",
        )

    def _failure_error(self, revision: str, stage: RolloutStage, *, by_hand: bool) -> RolledBack:
        """Return the error of a failed deployment: verdict, stop reason, and the container's last lines."""
        service = self.service
        diagnosis = diagnose(service.session.clients.client("ecs"), service.cluster, service.aws_name, revision)
        diagnosis = replace(diagnosis, status=stage.status, reason=stage.reason or diagnosis.reason)
        running = service.record_revision()
        remaining = describe_remaining(
            service.title, running.image, running.arn, same=running.arn == revision, back=stage.status == ROLLED_BACK
        )
        outcome = "was stopped" if by_hand else "failed"
        return RolledBack(
            f"The deployment of {service.aws_name} {outcome}: {diagnosis.description}\n    {remaining}",
            STOPPED_BY_HAND_HINT if by_hand else diagnosis.remedy,
            diagnosis.evidence,
        )


def describe_remaining(title: str, image: str, revision: str, *, same: bool, back: bool) -> str:
    """Return a sentence about what a service runs after a failed deployment."""
    revision_in_words = f"{image} ({revision.rpartition('/')[2]})"
    if back:
        return f"{title} runs {revision_in_words} as before."
    if same:
        return f"Nothing was gone back to: {title} is still to run {revision_in_words}."
    return f"{title} is to run {revision_in_words} now; `status` tells how far that is."


def report_replaced(console: Console, service: ServiceController, running: RunningRevision) -> None:
    """Say that the next rollout takes the place of a deployment that waits for a person.

    Only a service whose traffic ECS itself shifts costs a call: DescribeServiceDeployments.
    """
    if waits := read_awaited_hook(service.session.clients.client("ecs"), running.service).get("Waits"):
        console.note(f"A deployment of {service.aws_name} is under way, and this takes its place: {waits}.", "yellow")


@contextmanager
def interruptible(console: Console, service: ServiceController, doing: str) -> Iterator[None]:
    """Let the first signal end the waiting in the block; AWS goes on with what it was asked to do.

    Raises:
        Interrupted: A signal came.

    """
    with handle_signals(console, service.session.clock) as caught_signals, user_errors(doing):
        try:
            yield
        except Stopped as error:
            code = EXIT_CODES[signal.Signals(caught_signals[0])] if caught_signals else EXIT_CODES[signal.SIGINT]
            raise Interrupted(
                f"{doing}: stopped while waiting; AWS goes on with it.",
                "Run the same command again: it goes on.",
                code,
            ) from error
