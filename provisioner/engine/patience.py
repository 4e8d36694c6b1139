"""The retry policy of AWS calls: which errors are retried, how long, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import EMULATOR_PATIENCE, Clients
from provisioner.engine.clock import Clock
from provisioner.engine.durations import Durations
from provisioner.engine.events import Event, Listener
from provisioner.engine.faults import PASSING, Fault, code_of, fault_of, is_unknown_call, told
from provisioner.engine.refused import (
    Blocker,
    RetryLater,
    blocked_error,
    blocks_for_good,
    matches_codes,
    may_have_blockers,
)
from provisioner.engine.resource_type import ResourceType
from provisioner.engine.target import ManagedResource
from provisioner.engine.waits import again, jittered, pause
from provisioner.engine.young import FRESH, Newborns

# Seconds for which throttled calls and AWS's own failures are retried. The 25 tries of Terraform's AWS
# provider come to about as much. A longer failure is an outage, and the next run goes on from here.
OUTAGE = 300.0
# Seconds after which the blockers of a refused deletion are read first, and the longest interval after that;
# in between it doubles. AWS's own blockers go within minutes, those of other people stay.
_FIRST_ASKED, _LAST_ASKED = 1.5, 12.0


class Patience:
    """The calls of a run with their retries, as the resource types allow; shared by all threads."""

    def __init__(self, clients: Clients, listen: Listener, durations: Durations | None = None) -> None:
        self.clients = clients
        self.listen = listen
        self.clock = clients.clock
        self.pace = clients.aws.pace
        self.durations = durations or Durations(self.pace)
        self.newborns = Newborns(clients)

    def client(self, managed: ManagedResource) -> Any:
        """Return the boto3 client for a resource."""
        return self.clients.client(managed.type.service, managed.region)

    def is_new(self, made: float) -> bool:
        """Return whether AWS's services may not know yet what was created at the wall-clock second `made`."""
        return self.newborns.is_new(made)

    def call(self, call: Callable[[], Any], managed: ManagedResource, verb: str) -> Any:
        """Call, and retry what AWS throttled or lost and what the resource type declares as temporary.

        Args:
            call: The function that makes the call.
            managed: The resource that the call is for.
            verb: The action, such as "create", by which the resource type lists its temporary errors.

        """
        passing = _Passing(EMULATOR_PATIENCE if self.clients.aws.endpoint else OUTAGE, self.clock)
        asking = _Asking(self.clock)
        known_late = _Passing(max(FRESH * self.pace, EMULATOR_PATIENCE), self.clock)

        # Throttled and lost calls have a time limit of their own, which starts anew after a refusal.
        def cures(error: BaseException) -> bool:
            if fault_of(error) in PASSING:
                return passing.may_pass()
            passing.over()
            if self._time_cures(error, managed.type, verb):
                # A new permission takes effect within minutes; after that, it is missing.
                return not _may_lack_a_right(error, managed.type) or known_late.may_pass()
            return verb != "delete" and self._is_for_the_young(error, managed)

        def steps(error: BaseException, elapsed: float) -> float | None:
            step = self._step(error, elapsed, managed, verb)
            return None if step is None else jittered(step)

        def report(error: BaseException, seconds: float) -> None:
            # Blockers are only read after a refusal, not while AWS is busy or did not answer.
            names = verb == "delete" and may_have_blockers(error, managed.type.unblocked_codes)
            held = self._words_of_holders(managed) if names and asking.is_due() else ""
            detail = f"held by {held}" if held else told(error)
            self.listen(Event("retrying", managed.spec.logical_id, verb, detail, seconds))

        return again(call, when=cures, clock=self.clock, patience=managed.type.timeout, told=report, steps=steps)

    def _time_cures(self, error: BaseException, resource_type: ResourceType, verb: str) -> bool:
        """Return whether a refusal is temporary and short enough to wait for."""
        if isinstance(error, RetryLater):
            return error.due * self.pace <= resource_type.timeout
        return matches_codes(error, resource_type.retryable_codes.get(verb, frozenset()))

    def _step(self, error: BaseException, elapsed: float, managed: ManagedResource, verb: str) -> float | None:
        """Return the seconds until a refused call is tried again; None (back-off) after other errors."""
        if fault_of(error) in PASSING:
            return None
        if isinstance(error, RetryLater):
            return pause(elapsed, error.due * self.pace)
        if verb == "create" and code_of(error) not in self.newborns.absent(managed.depends_on):
            due = self._due(managed, verb, self.clock.now() - elapsed)
            if due > elapsed:
                return pause(elapsed, due)
        # EC2 allows an account 5 changes a second (EC2 API throttling): refused calls are retried slowly.
        return max(pause(elapsed, 0), min(1 + elapsed / 10, 10) * self.pace)

    def _due(self, managed: ManagedResource, verb: str, start: float) -> float:
        """Return the usual seconds until a refused call is accepted because its dependencies are ready."""
        known = self.durations.known_seconds(managed.type, managed.region, verb, "exists")
        if known is not None:
            return known
        young = self.newborns.born(managed.depends_on)
        return max(
            (born + resource_type.typical_create_seconds * self.pace - start for resource_type, born in young),
            default=0.0,
        )

    def _is_for_the_young(self, error: BaseException, managed: ManagedResource) -> bool:
        """Return whether a refusal means that a recently created resource is not known everywhere yet."""
        hidden = self.newborns.absent((managed.spec.logical_id, *managed.depends_on))
        lasting = matches_codes(error, managed.type.already_exists_codes)
        return code_of(error) in hidden or (not lasting and self.newborns.explain(error))

    def holders(self, managed: ManagedResource) -> list[Blocker]:
        """Return the blockers of a resource; empty if AWS does not let them be read."""
        try:
            return managed.type.blockers(self.client(managed), managed.spec)
        except (ClientError, UnknownCall) as error:
            # The resource may be deleted meanwhile; the call itself then reports what is wrong.
            if fault_of(error) is not Fault.REFUSED and not is_unknown_call(error):
                raise
            return []

    def _words_of_holders(self, managed: ManagedResource) -> str:
        """Return the blockers of a resource in words.

        Raises:
            ProvisionerError: None of them will go while a run waits (`held_up`).

        """
        blockers = self.holders(managed)
        if blocks_for_good(blockers):
            raise blocked_error(managed.description, blockers)
        return ", ".join(blocker.what for blocker in blockers)


def insist(clients: Clients, call: Callable[[], Any], newborns: Newborns | None = None) -> Any:
    """Make a call that is safe to repeat, and retry it until AWS accepts or refuses it.

    With `newborns`, it is also retried while AWS may not yet know a recently created resource.
    """
    budget = EMULATOR_PATIENCE if clients.aws.endpoint else OUTAGE

    def cures(error: BaseException) -> bool:
        return fault_of(error) in PASSING or bool(newborns and newborns.explain(error))

    return again(call, when=cures, clock=clients.clock, patience=budget)


class _Passing:
    """A time limit for an unbroken series of temporary errors of one call."""

    def __init__(self, budget: float, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._since: float | None = None

    def may_pass(self) -> bool:
        """Count one more error, and return False if the series has lasted longer than the limit."""
        self._since = self._clock.now() if self._since is None else self._since
        return self._clock.now() - self._since <= self._budget

    def over(self) -> None:
        """End the series: AWS has answered the call, if only with a refusal."""
        self._since = None


class _Asking:
    """The schedule by which the blockers of a resource are read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._step = _FIRST_ASKED
        self._next = clock.now() + self._step

    def is_due(self) -> bool:
        """Return whether it is time to read them again; true once per interval."""
        if self._clock.now() < self._next:
            return False
        self._step = min(2 * self._step, _LAST_ASKED)
        self._next = self._clock.now() + self._step
        return True


def _may_lack_a_right(error: BaseException, resource_type: ResourceType) -> bool:
    return fault_of(error) is Fault.DENIED or matches_codes(error, resource_type.retryable_denials)
