"""Follows one deployment to its real end, and reports its progress."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import ErrorCategory, categorize, describe_error
from provisioner.engine.calls.polling import Stopped, poll_until
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Interrupted, RolledBack, Superseded, WaitTimeout
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.ecs.diagnosis import FAILED, diagnose
from provisioner.resources.ecs.revisions import RunningRevision
from provisioner.resources.ecs.rollouts import BACK, GOOD, RolloutStage, RolloutWatch, deployment_arns, rollouts
from provisioner.resources.ecs.stopped_tasks import fatal_stop_reason, stopped_tasks
from provisioner.resources.ecs.strategies import awaited, lasts
from provisioner.resources.ecs.superseding import NOT_JUDGED, SupersedingDeployment
from provisioner.terminal.console import Console
from provisioner.workflows.service_controller import ServiceController
from provisioner.workflows.signals import EXIT_CODES, signals
from state.errors import ProvisionerError
from state.serialization import json_fields


@dataclass
class PreviousDeployments:
    """What existed before a deployment began: deployments, their revisions, and stopped tasks."""

    rollouts: Set[str] = field(default_factory=frozenset)
    revisions: Set[str] = field(default_factory=frozenset)
    # None if stopped tasks are of no interest, or may not be read.
    stops: Set[str] | None = field(default_factory=frozenset)
    # How many seconds ECS itself plans to take: steps and bake time of its own strategies.
    lasts: float = 0.0

    @classmethod
    def of(
        cls, service: ServiceController, running: RunningRevision, revision: str, *, under_way: bool, fail_fast: bool
    ) -> PreviousDeployments:
        """Return what exists before the call that begins a deployment.

        If the deployment is already `under_way`, the newest one does not count as earlier, provided that it
        is of this revision.
        """
        clients = service.session.clients
        known = deployment_arns(clients, service.cluster, service.aws_name, service.session.warn)
        earlier_revisions = frozenset(each["taskDefinition"] for each in running.service["deployments"])
        planned = lasts(running.service)
        if not under_way:
            return cls(frozenset(known), earlier_revisions, _stopped(service) if fail_fast else None, planned)
        earlier = frozenset(known[1:])
        newest = rollouts(clients, service.cluster, service.aws_name, earlier) or []
        is_it = any(each.revision == revision for each in newest)
        return cls(earlier if is_it else frozenset(known), earlier_revisions, lasts=planned)


def _stopped(service: ServiceController) -> Set[str] | None:
    """Return the stopped tasks; if they may not be read, report that and return None."""
    try:
        return stopped_tasks(service.session.clients, service.cluster, service.aws_name)
    except ClientError as error:
        _waits_on(service, error)
        return None


def _waits_on(service: ServiceController, error: ClientError) -> None:
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
            OutOfPatience: The deployment takes longer than its timeout.

        """
        service, clock, before = self.service, self.service.session.clock, self.before
        known = (before.rollouts, before.revisions)
        rolling = RolloutWatch(service.session.clients, service.cluster, service.aws_name, revision, *known)
        resource_type = RESOURCE_TYPES["Service"]
        usual = service.executor.durations.typical_seconds(
            resource_type, service.session.location.region, "update", "ready"
        )
        last: list[RolloutStage] = []
        given_up: list[str] = []

        def probe() -> RolloutStage | None:
            stage = rolling.look()
            if [stage] != last:
                last[:] = [stage]
                self._tell(revision, stage)
            if stage.status == GOOD or stage.status in FAILED:
                return stage
            if self.fail_fast and self.before.stops is not None and rolling.arn and not given_up:
                given_up.extend(self._give_up(rolling, revision))
            return None

        patience = resource_type.timeout + before.lasts
        end = poll_until(probe, clock=clock, due=usual, timeout=patience)
        if end is None:
            waits = last[-1].waits if last else ""
            raise WaitTimeout(
                f"{service.aws_name} is not there after {patience:.0f} s; {waits or 'ECS is still at it'}.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
        if rolling.successor:
            raise self._superseded(revision, end, rolling.successor)
        if end.status != GOOD:
            raise self._failure(revision, end, by_hand=rolling.by_hand and not given_up)

    def _tell(self, revision: str, stage: RolloutStage) -> None:
        """Report the progress of the deployment."""
        if self.console.as_json:
            self.console.record("deployment", service=self.service.title, revision=revision, **json_fields(stage))
        self.console.note(f"  {stage.words}", "dim")

    def _give_up(self, rolling: RolloutWatch, revision: str) -> Iterator[str]:
        """Stop the deployment if a stopped task shows that it cannot succeed; yield the reason.

        If stopped tasks may not be read, yield that error. After either, they are not looked at again.
        """
        service, before = self.service, self.before.stops or frozenset()
        try:
            if why := fatal_stop_reason(service.session.clients, service.cluster, service.aws_name, revision, before):
                self.console.note(f"A task stopped ({why}): the deployment is given up.", "yellow")
                rolling.give_up()
                yield why
        except ClientError as error:
            _waits_on(service, error)
            yield describe_error(error)

    def _superseded(self, revision: str, end: RolloutStage, by: SupersedingDeployment) -> ProvisionerError:
        """Return the error that another deployment superseded this one; it does not blame the image."""
        service = self.service
        running = service.record_revision()
        since = f"{datetime.fromtimestamp(by.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        mine, other = (arn.rpartition("/")[2] for arn in (revision, by.revision))
        failed = f"; {end.failed} of its tasks had failed by then" if end.failed else ""
        return Superseded(
            f"The deployment of {mine} to {service.aws_name} was superseded: that of {other} began at {since}, "
            f"before it had ended{failed}. ECS has not judged the image.\n"
            f"    {describe_remaining(service.title, running.image, running.arn, same=False, back=False)}",
            "Somebody else deploys, too: CloudTrail tells who called UpdateService then. "
            "Run the same command again if yours is to run.",
        )

    def _failure(self, revision: str, end: RolloutStage, *, by_hand: bool) -> RolledBack:
        """Return the error of a failed deployment: verdict, stop reason, and the container's last lines."""
        service = self.service
        found = diagnose(service.session.clients.client("ecs"), service.cluster, service.aws_name, revision)
        found = replace(found, status=end.status, why=end.why or found.why)
        running = service.record_revision()
        runs = describe_remaining(
            service.title, running.image, running.arn, same=running.arn == revision, back=end.status == BACK
        )
        ended = "was stopped" if by_hand else "failed"
        return RolledBack(
            f"The deployment of {service.aws_name} {ended}: {found.words}\n    {runs}",
            NOT_JUDGED if by_hand else found.remedy,
            found.evidence,
        )


def describe_remaining(title: str, image: str, revision: str, *, same: bool, back: bool) -> str:
    """Return a sentence about what a service runs after a failed deployment."""
    runs = f"{image} ({revision.rpartition('/')[2]})"
    if back:
        return f"{title} runs {runs} as before."
    if same:
        return f"Nothing was gone back to: {title} is still to run {runs}."
    return f"{title} is to run {runs} now; `status` tells how far that is."


def report_replaced(console: Console, service: ServiceController, running: RunningRevision) -> None:
    """Say that the next rollout takes the place of a deployment that waits for a person.

    Only a service whose traffic ECS itself shifts costs a call: DescribeServiceDeployments.
    """
    if waits := awaited(service.session.clients.client("ecs"), running.service).get("Waits"):
        console.note(f"A deployment of {service.aws_name} is under way, and this takes its place: {waits}.", "yellow")


@contextmanager
def interruptible(console: Console, service: ServiceController, doing: str) -> Iterator[None]:
    """Let the first signal end the waiting in the block; AWS goes on with what it was asked to do.

    Raises:
        Interrupted: A signal came.

    """
    with signals(console, service.session.clock) as caught, user_errors(doing):
        try:
            yield
        except Stopped as error:
            code = EXIT_CODES[signal.Signals(caught[0])] if caught else EXIT_CODES[signal.SIGINT]
            raise Interrupted(
                f"{doing}: stopped while waiting; AWS goes on with it.",
                "Run the same command again: it goes on.",
                code,
            ) from error
