"""Follows one deployment to its true end, and says on the way how far it is."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from provisioner.commands.ending import EXIT_CODES, signals
from provisioner.commands.one_service import OneService
from provisioner.engine.clock import Stopped
from provisioner.engine.explain import explained
from provisioner.engine.faults import Fault, fault_of, told
from provisioner.engine.waits import until
from provisioner.errors import Interrupted, OutOfPatience, ProvisionerError, RolledBack, Superseded
from provisioner.kinds import KINDS
from provisioner.kinds.ecs.diagnosis import FAILED, diagnose
from provisioner.kinds.ecs.revisions import Running
from provisioner.kinds.ecs.rollouts import BACK, GOOD, Rolling, Stage, begun, rollouts
from provisioner.kinds.ecs.stops import hopeless, stopped
from provisioner.kinds.ecs.strategies import awaited, lasts
from provisioner.kinds.ecs.successors import NOT_JUDGED, Successor
from provisioner.terminal.say import Say


@dataclass
class Before:
    """What was there before a deployment began: deployments, their revisions, and tasks that had stopped."""

    rollouts: Set[str] = field(default_factory=frozenset)
    revisions: Set[str] = field(default_factory=frozenset)
    # None where nobody looks at tasks that stop, or may.
    stops: Set[str] | None = field(default_factory=frozenset)
    # How long ECS itself means to take, in seconds: steps and bake time of its own strategies.
    lasts: float = 0.0

    @classmethod
    def of(cls, one: OneService, now: Running, revision: str, *, under_way: bool, fail_fast: bool) -> Before:
        """Taken before the call; of a deployment that is `under_way` it is not known to be of before."""
        clients = one.session.clients
        known = begun(clients, one.cluster, one.aws_name, one.session.tell)
        earlier_revisions = frozenset(each["taskDefinition"] for each in now.service["deployments"])
        planned = lasts(now.service)
        if not under_way:
            return cls(frozenset(known), earlier_revisions, _stopped(one) if fail_fast else None, planned)
        earlier = frozenset(known[1:])
        newest = rollouts(clients, one.cluster, one.aws_name, earlier) or []
        is_it = any(each.revision == revision for each in newest)
        return cls(earlier if is_it else frozenset(known), earlier_revisions, lasts=planned)


def _stopped(one: OneService) -> Set[str] | None:
    """The tasks that had stopped; None, which is told, where they may not be asked for."""
    try:
        return stopped(one.session.clients, one.cluster, one.aws_name)
    except ClientError as error:
        _waits_on(one, error)
        return None


def _waits_on(one: OneService, error: ClientError) -> None:
    """Say that `--fail-fast` may not do its part; what is not a matter of rights is raised anew."""
    if fault_of(error) is not Fault.DENIED:
        raise error
    one.session.tell(f"--fail-fast cannot end this early: {told(error)}", "ECS's own verdict is waited for.")


@dataclass(frozen=True)
class Follower:
    """One who waits for a deployment; with `fail_fast` no longer than until the first hopeless task."""

    say: Say
    one: OneService
    before: Before
    fail_fast: bool = False

    def follow(self, revision: str) -> None:
        """Return when ECS says that the revision runs.

        Raises:
            RolledBack: ECS gave it up, with all that is known of why.
            Superseded: A newer deployment took its place.
            OutOfPatience: It takes longer than a deployment may.

        """
        one, clock, before = self.one, self.one.session.clock, self.before
        known = (before.rollouts, before.revisions)
        rolling = Rolling(one.session.clients, one.cluster, one.aws_name, revision, *known)
        kind = KINDS["Service"]
        usual = one.hands.durations.expected(kind, one.session.place.region, "update", "ready")
        last: list[Stage] = []
        given_up: list[str] = []

        def probe() -> Stage | None:
            stage = rolling.look()
            if [stage] != last:
                last[:] = [stage]
                self._tell(revision, stage)
            if stage.status == GOOD or stage.status in FAILED:
                return stage
            if self.fail_fast and self.before.stops is not None and rolling.arn and not given_up:
                given_up.extend(self._give_up(rolling, revision))
            return None

        patience = kind.patience + before.lasts
        end = until(probe, clock=clock, due=usual, patience=patience)
        if end is None:
            waits = last[-1].waits if last else ""
            raise OutOfPatience(
                f"{one.aws_name} is not there after {patience:.0f} s; {waits or 'ECS is still at it'}.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
        if rolling.successor:
            raise self._superseded(revision, end, rolling.successor)
        if end.status != GOOD:
            raise self._failure(revision, end, by_hand=rolling.by_hand and not given_up)

    def _tell(self, revision: str, stage: Stage) -> None:
        if self.say.as_json:
            self.say.record("deployment", service=self.one.title, revision=revision, **vars(stage))
        self.say.note(f"  {stage.words}", "dim")

    def _give_up(self, rolling: Rolling, revision: str) -> Iterator[str]:
        one, before = self.one, self.before.stops or frozenset()
        try:
            if why := hopeless(one.session.clients, one.cluster, one.aws_name, revision, before):
                self.say.note(f"A task stopped ({why}): the deployment is given up.", "yellow")
                rolling.give_up()
                yield why
        except ClientError as error:
            _waits_on(one, error)
            yield told(error)

    def _superseded(self, revision: str, end: Stage, by: Successor) -> ProvisionerError:
        """Who took its place, as far as it is known; and that nothing is said against the image."""
        one = self.one
        now = one.settle()
        since = f"{datetime.fromtimestamp(by.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        mine, other = (arn.rpartition("/")[2] for arn in (revision, by.revision))
        failed = f"; {end.failed} of its tasks had failed by then" if end.failed else ""
        return Superseded(
            f"The deployment of {mine} to {one.aws_name} was superseded: that of {other} began at {since}, "
            f"before it had ended{failed}. ECS has not judged the image.\n"
            f"    {left(one.title, now.image, now.arn, same=False, back=False)}",
            "Somebody else deploys, too: CloudTrail tells who called UpdateService then. "
            "Run the same command again if yours is to run.",
        )

    def _failure(self, revision: str, end: Stage, *, by_hand: bool) -> RolledBack:
        """The verdict, the stop reason, the container's end and its last lines."""
        one = self.one
        found = diagnose(one.session.clients.client("ecs"), one.cluster, one.aws_name, revision)
        found = replace(found, status=end.status, why=end.why or found.why)
        now = one.settle()
        runs = left(one.title, now.image, now.arn, same=now.arn == revision, back=end.status == BACK)
        ended = "was stopped" if by_hand else "failed"
        return RolledBack(
            f"The deployment of {one.aws_name} {ended}: {found.words}\n    {runs}",
            NOT_JUDGED if by_hand else found.remedy,
            found.evidence,
        )


def left(title: str, image: str, revision: str, *, same: bool, back: bool) -> str:
    """What a service runs after a deployment that failed, in a sentence."""
    runs = f"{image} ({revision.rpartition('/')[2]})"
    if back:
        return f"{title} runs {runs} as before."
    if same:
        return f"Nothing was gone back to: {title} is still to run {runs}."
    return f"{title} is to run {runs} now; `status` tells how far that is."


def tell_replaced(say: Say, one: OneService, now: Running) -> None:
    """Say that what is about to begin takes the place of a deployment that waits for a person.

    Asked of a service alone over whose requests ECS leads: DescribeServiceDeployments.
    """
    if waits := awaited(one.session.clients.client("ecs"), now.service).get("Waits"):
        say.note(f"A deployment of {one.aws_name} is under way, and this takes its place: {waits}.", "yellow")


@contextmanager
def interruptible(say: Say, one: OneService, doing: str) -> Iterator[None]:
    """Inside, the first signal ends the waiting; what AWS was asked for goes on there."""
    with signals(say, one.session.clock) as caught, explained(doing):
        try:
            yield
        except Stopped as error:
            code = EXIT_CODES[signal.Signals(caught[0])] if caught else EXIT_CODES[signal.SIGINT]
            raise Interrupted(
                f"{doing}: stopped while waiting; AWS goes on with it.",
                "Run the same command again: it goes on.",
                code,
            ) from error
