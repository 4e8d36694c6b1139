"""The calls of a run for its resources: each is retried as the type of the resource allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryCallState, retry_if_exception, stop_after_delay

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.clients import EMULATOR_TIMEOUT_SECONDS, Clients
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.error_categories import (
    ErrorCategory,
    categorize,
    code_of,
    describe_error,
    is_unsupported_operation,
)
from provisioner.engine.calls.polling import jittered, poll_interval
from provisioner.engine.calls.retry_policy import (
    BACK_OFF,
    RETRY_TRANSIENT,
    RetryPolicy,
    elapsed_seconds,
    error_of,
    is_transient,
)
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

# Seconds for which throttled calls and AWS's own failures are retried. The 25 tries of Terraform's AWS
# provider come to about as much. A longer failure is an outage, and the next run goes on from here.
OUTAGE_SECONDS = 300.0
# Seconds after which the blockers of a refused deletion are read first, and the longest interval after that;
# in between it doubles. AWS's own blockers go within minutes, those of other people stay.
FIRST_BLOCKER_READ, _LONGEST_BLOCKER_INTERVAL = 1.5, 12.0


def call_with_retry(clients: Clients, call: Callable[[], Any], recent: RecentResources | None = None) -> Any:
    """Make a call that is safe to repeat, and retry it until AWS accepts or refuses it.

    With `recent`, it is also retried while AWS may not yet know a recently created resource.
    """
    retry = RETRY_TRANSIENT | retry_if_exception(recent.may_explain) if recent else RETRY_TRANSIENT
    return RetryPolicy(clients.clock, stop_after_delay(_outage_seconds(clients)), retry).call(call)


def _outage_seconds(clients: Clients) -> float:
    return EMULATOR_TIMEOUT_SECONDS if clients.aws.endpoint else OUTAGE_SECONDS


class ResourceCalls:
    """The calls of a run for its resources, with their retries; shared by all threads."""

    def __init__(self, clients: Clients, publish: Listener, history: DurationHistory | None = None) -> None:
        self.clients = clients
        self.publish = publish
        self.clock = clients.clock
        self.speed = clients.aws.speed
        self.durations = history or DurationHistory(self.speed)
        self.recent = RecentResources(clients)

    def client(self, managed: ManagedResource) -> Any:
        """Return the boto3 client for a resource."""
        return self.clients.client(managed.type.service, managed.region)

    def call(self, call: Callable[[], Any], managed: ManagedResource, action: str) -> Any:
        """Call, and retry what AWS throttled or lost and what the resource type declares as temporary.

        Args:
            call: The function that makes the call.
            managed: The resource that the call is for.
            action: The action, such as "create", by which the resource type lists its temporary errors.

        """
        retries = _ResourceRetries(self, managed, action)
        policy = RetryPolicy(
            self.clock,
            stop_after_delay(managed.type.timeout),
            retry_if_exception(retries.is_retryable),
            retries.next_wait,
            retries.report,
        )
        return policy.call(call)

    def blockers(self, managed: ManagedResource) -> list[Blocker]:
        """Return the blockers of a resource; empty if AWS does not let them be read."""
        try:
            return managed.type.blockers(self.client(managed), managed.spec)
        except (ClientError, UnsupportedOperation) as error:
            # The resource may be deleted meanwhile; the call itself then reports what is wrong.
            if categorize(error) is not ErrorCategory.REFUSED and not is_unsupported_operation(error):
                raise
            return []


class _ResourceRetries:
    """The retries of one call for one resource: after which errors, after how many seconds, and their reports."""

    def __init__(self, calls: ResourceCalls, managed: ManagedResource, action: str) -> None:
        self._calls = calls
        self._managed = managed
        self._action = action
        # Throttled and lost calls have a time limit of their own, which starts again after a refusal.
        self._outage = _ErrorSeries(_outage_seconds(calls.clients), calls.clock)
        # A new permission takes effect within minutes; after that, it is missing.
        self._denials = _ErrorSeries(max(RECENT_SECONDS * calls.speed, EMULATOR_TIMEOUT_SECONDS), calls.clock)
        self._blocker_schedule = _BlockerSchedule(calls.clock)

    def is_retryable(self, error: BaseException) -> bool:
        """Return whether the call may be made again after this error."""
        if is_transient(error):
            return self._outage.continues()
        self._outage.end()
        if self._is_temporary_refusal(error):
            return not self._may_be_denied(error) or self._denials.continues()
        return self._action != "delete" and self._concerns_recent(error)

    def next_wait(self, state: RetryCallState) -> float:
        """Return the seconds until the next attempt: a back-off after transient errors, else by what is awaited."""
        error = error_of(state)
        if is_transient(error):
            return BACK_OFF(state)
        return jittered(self._refusal_wait(error, elapsed_seconds(state)))

    def report(self, error: BaseException, seconds: float) -> None:
        """Tell the listener that the call is retried in so many seconds, and why.

        Raises:
            ProvisionerError: Blockers keep the resource from being deleted, and none will go while a run waits.

        """
        # Blockers are only read after a refusal, not while AWS is busy or did not answer.
        may_be_held = self._action == "delete" and may_have_blockers(error, self._managed.type.unblocked_codes)
        blockers = self._describe_blockers() if may_be_held and self._blocker_schedule.is_due() else ""
        detail = f"held by {blockers}" if blockers else describe_refusal(error)
        self._calls.publish(Event("retrying", self._managed.spec.logical_id, self._action, detail, seconds))

    def _is_temporary_refusal(self, error: BaseException) -> bool:
        """Return whether a refusal is temporary and short enough to wait for."""
        resource_type = self._managed.type
        if isinstance(error, RetryLater):
            return error.due * self._calls.speed <= resource_type.timeout
        return matches_codes(error, resource_type.retryable_codes.get(self._action, frozenset()))

    def _may_be_denied(self, error: BaseException) -> bool:
        return categorize(error) is ErrorCategory.DENIED or matches_codes(error, self._managed.type.retryable_denials)

    def _concerns_recent(self, error: BaseException) -> bool:
        """Return whether a refusal means that a recently created resource is not known everywhere yet."""
        managed, recent = self._managed, self._calls.recent
        if code_of(error) in recent.not_found_codes((managed.spec.logical_id, *managed.depends_on)):
            return True
        return not matches_codes(error, managed.type.already_exists_codes) and recent.may_explain(error)

    def _refusal_wait(self, error: BaseException, elapsed: float) -> float:
        """Return the seconds until a call that was refused, `elapsed` seconds after its start, is tried again."""
        if isinstance(error, RetryLater):
            return poll_interval(elapsed, error.due * self._calls.speed)
        misses_dependency = code_of(error) in self._calls.recent.not_found_codes(self._managed.depends_on)
        if self._action == "create" and not misses_dependency:
            due = self._expected_acceptance(self._calls.clock.now() - elapsed)
            if due > elapsed:
                return poll_interval(elapsed, due)
        # EC2 allows an account 5 changes a second (EC2 API throttling): refused calls are retried slowly.
        return max(poll_interval(elapsed, 0), min(1 + elapsed / 10, 10) * self._calls.speed)

    def _expected_acceptance(self, start: float) -> float:
        """Return the usual seconds from `start` until the call is accepted because its dependencies are ready."""
        calls, managed = self._calls, self._managed
        known = calls.durations.measured_seconds(managed.type, managed.region, self._action, "exists")
        if known is not None:
            return known
        ready_at = (
            created_at + resource_type.typical_create_seconds * calls.speed
            for resource_type, created_at in calls.recent.recent_types(managed.depends_on)
        )
        return max((at - start for at in ready_at), default=0.0)

    def _describe_blockers(self) -> str:
        blockers = self._calls.blockers(self._managed)
        if are_permanent(blockers):
            raise blocked_error(self._managed.description, blockers)
        return ", ".join(blocker.description for blocker in blockers)


class _ErrorSeries:
    """An unbroken series of errors of one sort, and the seconds for which it may last."""

    def __init__(self, limit: float, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._began: float | None = None

    def continues(self) -> bool:
        """Count one more error; return False if the series has lasted longer than its limit."""
        self._began = self._clock.now() if self._began is None else self._began
        return self._clock.now() - self._began <= self._limit

    def end(self) -> None:
        """End the series: the call had another outcome."""
        self._began = None


class _BlockerSchedule:
    """The times at which the blockers of a resource are read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._interval = FIRST_BLOCKER_READ
        self._next_at = clock.now() + self._interval

    def is_due(self) -> bool:
        """Return whether it is time to read them again; true once per interval."""
        if self._clock.now() < self._next_at:
            return False
        self._interval = min(2 * self._interval, _LONGEST_BLOCKER_INTERVAL)
        self._next_at = self._clock.now() + self._interval
        return True


def describe_refusal(error: BaseException) -> str:
    """Return why a call is tried again, in one line: a resource type's own words, or AWS's."""
    return str(error) if isinstance(error, RetryLater) else describe_error(error)
