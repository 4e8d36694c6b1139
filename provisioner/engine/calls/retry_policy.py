"""The retry policy of AWS calls: which errors are retried, how long, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.clients import EMULATOR_TIMEOUT_SECONDS, Clients
from provisioner.engine.calls.error_categories import (
    TRANSIENT,
    ErrorCategory,
    categorize,
    code_of,
    describe_error,
    is_unsupported_operation,
)
from provisioner.engine.calls.polling import Clock, jittered, poll_interval, retry
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.execution.consistency import RECENT_SECONDS, RecentResources
from provisioner.engine.execution.events import Event, Listener
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.types.blocker import (
    Blocker,
    RetryLater,
    are_permanent,
    blocked_error,
    matches_codes,
    may_have_blockers,
)
from provisioner.engine.types.resource_type import ResourceType

# Seconds for which throttled calls and AWS's own failures are retried. The 25 tries of Terraform's AWS
# provider come to about as much. A longer failure is an outage, and the next run goes on from here.
OUTAGE_SECONDS = 300.0
# Seconds after which the blockers of a refused deletion are read first, and the longest interval after that;
# in between it doubles. AWS's own blockers go within minutes, those of other people stay.
_FIRST_ASKED, _LAST_ASKED = 1.5, 12.0


class RetryPolicy:
    """The calls of a run with their retries, as the resource types allow; shared by all threads."""

    def __init__(self, clients: Clients, listen: Listener, history: DurationHistory | None = None) -> None:
        self.clients = clients
        self.listen = listen
        self.clock = clients.clock
        self.speed = clients.aws.speed
        self.durations = history or DurationHistory(self.speed)
        self.recent = RecentResources(clients)

    def client(self, managed: ManagedResource) -> Any:
        """Return the boto3 client for a resource."""
        return self.clients.client(managed.type.service, managed.region)

    def is_recent(self, made: float) -> bool:
        """Return whether AWS's services may not know yet what was created at the wall-clock second `made`."""
        return self.recent.is_recent(made)

    def call(self, call: Callable[[], Any], managed: ManagedResource, action: str) -> Any:
        """Call, and retry what AWS throttled or lost and what the resource type declares as temporary.

        Args:
            call: The function that makes the call.
            managed: The resource that the call is for.
            action: The action, such as "create", by which the resource type lists its temporary errors.

        """
        passing = _OutageBudget(EMULATOR_TIMEOUT_SECONDS if self.clients.aws.endpoint else OUTAGE_SECONDS, self.clock)
        asking = _BlockerPolling(self.clock)
        known_late = _OutageBudget(max(RECENT_SECONDS * self.speed, EMULATOR_TIMEOUT_SECONDS), self.clock)

        # Throttled and lost calls have a time limit of their own, which starts anew after a refusal.
        def cures(error: BaseException) -> bool:
            if categorize(error) in TRANSIENT:
                return passing.may_pass()
            passing.over()
            if self._is_retryable(error, managed.type, action):
                # A new permission takes effect within minutes; after that, it is missing.
                return not _may_be_denied(error, managed.type) or known_late.may_pass()
            return action != "delete" and self._concerns_recent(error, managed)

        def steps(error: BaseException, elapsed: float) -> float | None:
            step = self._next_delay(error, elapsed, managed, action)
            return None if step is None else jittered(step)

        def report(error: BaseException, seconds: float) -> None:
            # Blockers are only read after a refusal, not while AWS is busy or did not answer.
            names = action == "delete" and may_have_blockers(error, managed.type.unblocked_codes)
            held = self._describe_blockers(managed) if names and asking.is_due() else ""
            detail = f"held by {held}" if held else describe_error(error)
            self.listen(Event("retrying", managed.spec.logical_id, action, detail, seconds))

        return retry(call, when=cures, clock=self.clock, timeout=managed.type.timeout, told=report, steps=steps)

    def _is_retryable(self, error: BaseException, resource_type: ResourceType, action: str) -> bool:
        """Return whether a refusal is temporary and short enough to wait for."""
        if isinstance(error, RetryLater):
            return error.due * self.speed <= resource_type.timeout
        return matches_codes(error, resource_type.retryable_codes.get(action, frozenset()))

    def _next_delay(self, error: BaseException, elapsed: float, managed: ManagedResource, action: str) -> float | None:
        """Return the seconds until a refused call is tried again; None (back-off) after other errors."""
        if categorize(error) in TRANSIENT:
            return None
        if isinstance(error, RetryLater):
            return poll_interval(elapsed, error.due * self.speed)
        if action == "create" and code_of(error) not in self.recent.not_found_codes(managed.depends_on):
            due = self._expected_delay(managed, action, self.clock.now() - elapsed)
            if due > elapsed:
                return poll_interval(elapsed, due)
        # EC2 allows an account 5 changes a second (EC2 API throttling): refused calls are retried slowly.
        return max(poll_interval(elapsed, 0), min(1 + elapsed / 10, 10) * self.speed)

    def _expected_delay(self, managed: ManagedResource, action: str, start: float) -> float:
        """Return the usual seconds until a refused call is accepted because its dependencies are ready."""
        known = self.durations.measured_seconds(managed.type, managed.region, action, "exists")
        if known is not None:
            return known
        young = self.recent.recent_types(managed.depends_on)
        return max(
            (born + resource_type.typical_create_seconds * self.speed - start for resource_type, born in young),
            default=0.0,
        )

    def _concerns_recent(self, error: BaseException, managed: ManagedResource) -> bool:
        """Return whether a refusal means that a recently created resource is not known everywhere yet."""
        hidden = self.recent.not_found_codes((managed.spec.logical_id, *managed.depends_on))
        lasting = matches_codes(error, managed.type.already_exists_codes)
        return code_of(error) in hidden or (not lasting and self.recent.may_explain(error))

    def blockers(self, managed: ManagedResource) -> list[Blocker]:
        """Return the blockers of a resource; empty if AWS does not let them be read."""
        try:
            return managed.type.blockers(self.client(managed), managed.spec)
        except (ClientError, UnsupportedOperation) as error:
            # The resource may be deleted meanwhile; the call itself then reports what is wrong.
            if categorize(error) is not ErrorCategory.REFUSED and not is_unsupported_operation(error):
                raise
            return []

    def _describe_blockers(self, managed: ManagedResource) -> str:
        """Return the blockers of a resource in words.

        Raises:
            ProvisionerError: None of them will go while a run waits (`held_up`).

        """
        blockers = self.blockers(managed)
        if are_permanent(blockers):
            raise blocked_error(managed.description, blockers)
        return ", ".join(blocker.description for blocker in blockers)


def call_with_retry(clients: Clients, call: Callable[[], Any], recent: RecentResources | None = None) -> Any:
    """Make a call that is safe to repeat, and retry it until AWS accepts or refuses it.

    With `recent`, it is also retried while AWS may not yet know a recently created resource.
    """
    budget = EMULATOR_TIMEOUT_SECONDS if clients.aws.endpoint else OUTAGE_SECONDS

    def cures(error: BaseException) -> bool:
        return categorize(error) in TRANSIENT or bool(recent and recent.may_explain(error))

    return retry(call, when=cures, clock=clients.clock, timeout=budget)


class _OutageBudget:
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


class _BlockerPolling:
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


def _may_be_denied(error: BaseException, resource_type: ResourceType) -> bool:
    return categorize(error) is ErrorCategory.DENIED or matches_codes(error, resource_type.retryable_denials)
