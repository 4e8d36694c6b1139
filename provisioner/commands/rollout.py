"""Follows one deployment to its real end, and reports its progress."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tenacity import stop_after_delay

from provisioner.commands.fail_fast import FailFast
from provisioner.commands.previous_deployments import PreviousDeployments
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.signals import EXIT_CODES, handle_signals
from provisioner.engine.calls.clock import Stopped
from provisioner.engine.calls.polling import wait_until_due
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Interrupted, RolledBack, Superseded, WaitTimeout
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.deployment_diagnosis import diagnose
from provisioner.resources.ecs.lifecycle_hooks import read_awaited_hook
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.rollout_watch import RolloutStage, RolloutWatch
from provisioner.resources.ecs.service_deployments import (
    FAILED_STATUSES,
    ROLLED_BACK,
    STOPPED_BY_HAND_HINT,
    SUCCESSFUL,
    SupersedingDeployment,
)
from provisioner.service_clients import ECS
from provisioner.terminal.console import Console
from state.errors import ProvisionerError
from state.serialization import json_fields


@dataclass
class _Progress:
    """The progress of one deployment, printed whenever it changes; `stage` is the last one read."""

    console: Console
    title: str
    watch: RolloutWatch
    fail_fast: FailFast
    stage: RolloutStage | None = None

    def read_final_stage(self) -> RolloutStage | None:
        """Read the stage and print a new one; return it if the deployment has ended, else None."""
        stage = self.watch.read_stage()
        if stage != self.stage:
            self.stage = stage
            self._print(stage)
        if stage.status == SUCCESSFUL or stage.status in FAILED_STATUSES:
            return stage
        self.fail_fast.check()
        return None

    def _print(self, stage: RolloutStage) -> None:
        """Report a stage."""
        if self.console.as_json:
            fields = json_fields(stage)
            self.console.record("deployment", service=self.title, revision=self.watch.revision, **fields)
        self.console.note(f"  {stage.description}", "dim")


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
        service, before = self.service, self.before
        watch = RolloutWatch(
            service.session.clients, service.cluster, service.aws_name, revision, before.rollouts, before.revisions
        )
        fail_fast = FailFast(self.console, service, watch, before.stopped_tasks if self.fail_fast else None)
        final_stage = self._wait(_Progress(self.console, service.title, watch, fail_fast))
        if watch.successor:
            raise self._superseded_error(revision, final_stage, watch.successor)
        if final_stage.status != SUCCESSFUL:
            by_hand = watch.is_stopped_by_hand and not fail_fast.has_ended
            raise self._failure_error(revision, final_stage, by_hand=by_hand)

    def _wait(self, progress: _Progress) -> RolloutStage:
        """Return the final stage of the deployment; raise WaitTimeout if it takes too long."""
        service, resource_type = self.service, RESOURCE_TYPES["Service"]
        typical_seconds = service.executor.durations.typical_seconds(
            resource_type, service.session.location.region, "update", "ready"
        )
        timeout = resource_type.timeout + self.before.planned_seconds
        policy = RetryPolicy(service.session.clock, stop_after_delay(timeout), wait=wait_until_due(typical_seconds))
        if final_stage := policy.poll(progress.read_final_stage):
            return final_stage
        hook = progress.stage.awaited_hook if progress.stage else ""
        raise WaitTimeout(
            f"{service.aws_name} is not there after {timeout:.0f} s; {hook or 'ECS is still at it'}.",
            "Nothing is lost: run the same command again, and it waits on.",
        )

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
        diagnosis = diagnose(service.session.clients.client(ECS), service.cluster, service.aws_name, revision)
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
    if waits := read_awaited_hook(service.session.clients.client(ECS), running.service).get("Waits"):
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
