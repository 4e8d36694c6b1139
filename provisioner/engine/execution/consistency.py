"""Eventual consistency: what AWS still hides of a new resource, and what it still shows of a deleted one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from tenacity import stop_after_delay

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.calls.polling import wait_until_due, wait_while_hidden
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.execution.managed_resource import ManagedResource, is_unsupported_call, read
from provisioner.engine.planning.diff import differences, meets_condition
from provisioner.engine.planning.resource_owner import foreign_remedy, is_owned, owner_description
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import OwnershipConflict, matches_codes
from provisioner.engine.types.coverage import covers
from provisioner.engine.types.data import Codes
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState

# At least so many reads: AWS may miss a new resource for a number of reads as well as of seconds.
_LEAST_READS = 6


class ConsistencyLookup:
    """A search that reads again until AWS must show a new resource; shared by all threads of a run."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.clock = clients.clock
        self._run_started_at = self.clock.wall()

    def last_attempt(self, managed: ManagedResource, intended_at: float) -> float:
        """Return the latest time at which a run before this one may have tried the create.

        `intended_at` is when that run first meant to. It may have retried for the timeout of the resource type,
        but not beyond the start of this run.
        """
        return max(intended_at, min(self._run_started_at, intended_at + managed.type.timeout))

    def find(self, managed: ManagedResource, since: float, hidden_seconds: float) -> JsonObject | None:
        """Return a resource of this stack that an unanswered create has made, or None.

        It is read until `hidden_seconds` seconds after `since`, when AWS must show it. If `hidden_seconds` is 0,
        nothing is waited for: a second create would only find what the first has made.

        Raises:
            OwnershipConflict: A resource of somebody else has its name.

        """
        window = self.clients.aws.consistency_window(hidden_seconds) if hidden_seconds else 0.0
        start = self.clock.now()
        reads = 0

        def probe() -> JsonObject | bool | None:
            nonlocal reads
            reads += 1
            # The result is the resource, False if this stack has none, or None to read again.
            actual = read(self.clients, managed)
            exists = actual is not None and not meets_condition(actual, managed.type.deleted)
            if actual is not None and exists and is_owned(managed.type, managed.spec.tags, actual):
                return actual if _is_created(managed, actual) else False
            # If the clock went backwards, `since` may lie in the future: then one whole window is waited.
            elapsed = max(self.clock.wall() - since, self.clock.now() - start)
            if elapsed < window or reads < (_LEAST_READS if exists or hidden_seconds else 1):
                return None
            if actual is not None and exists:
                remedy = foreign_remedy(managed.type, actual) or "Choose another suffix."
                raise OwnershipConflict(f"{managed.description} is {owner_description(managed.type, actual)}.", remedy)
            return False

        timeout = window + managed.type.timeout
        wait = wait_while_hidden(window) if window else wait_until_due(0)
        result = RetryPolicy(self.clock, stop_after_delay(timeout), wait=wait).poll(probe)
        return result if isinstance(result, dict) else None


def _is_created(managed: ManagedResource, actual: JsonObject) -> bool:
    """Return whether the resource that was found was made by the create.

    A setting of another resource can be read before it is set. If several resources may have the same name,
    the one that was found may be older. In both cases the properties decide.
    """
    may_be_older = managed.type.deleted_with_parent or managed.type.unique_properties == ()
    return not may_be_older or not differences(managed.type, managed.spec.props, actual, None)


# Seconds. A call may not find a resource that was created less than RECENT_SECONDS ago (terraform-provider-aws
# ec2/wait.go: EC2 propagation 5 min). A call that is refused because of a new resource is retried until that
# is PROPAGATION_SECONDS old (the same provider, iam/consts.go: propagation 2 min), or SLACK_SECONDS on an
# emulator without delays.
RECENT_SECONDS, PROPAGATION_SECONDS, SLACK_SECONDS = 300.0, 120.0, 5.0
# Errors that are permanent although they name a new resource: it exists already, or there are too many.
_PERMANENT_MESSAGE = re.compile(r"already|duplicate|conflict|in ?use|limit|quota|exceed", re.IGNORECASE)
# A character that AWS's ids, this stack's names and ARNs contain, and everyday words do not.
_IDENTIFIER_CHARACTER = re.compile(r"[-/:]")


@dataclass(frozen=True)
class _RecentResource:
    """A recently created resource, and the second by the run's monotonic clock at which it was created."""

    type: ResourceType
    created_at: float
    identifiers: tuple[str, ...]


class RecentResources:
    """The recently created resources, because of which other calls may be refused; shared by all threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._clock = clients.clock
        self._by_logical_id: dict[str, _RecentResource] = {}

    def add(self, managed: ManagedResource, created_at: float = 0.0) -> None:
        """Remember a resource that was created at the wall-clock second `created_at`; 0 stands for now."""
        self._add(managed.spec.logical_id, managed.type, (managed.spec.id, managed.spec.aws_name), created_at)

    def add_recorded(
        self, resource_states: Mapping[str, ResourceState], resource_types: Mapping[str, ResourceType]
    ) -> None:
        """Remember the resources that earlier runs have created recently, from the state."""
        for logical_id, resource_state in resource_states.items():
            if self.is_recent(resource_state.created_at) and resource_state.type_name in resource_types:
                self._add(
                    logical_id,
                    resource_types[resource_state.type_name],
                    (resource_state.id, resource_state.aws_name),
                    resource_state.created_at,
                )

    def is_recent(self, created_at: float) -> bool:
        """Return whether other calls may not know yet what was created at the wall-clock second `created_at`."""
        return bool(created_at) and abs(self._clock.wall() - created_at) < RECENT_SECONDS

    def recent_types(self, names: tuple[str, ...]) -> Iterator[tuple[ResourceType, float]]:
        """Return the types of those resources in `names` that are remembered, and when they were created."""
        recent = (self._by_logical_id.get(name) for name in names)
        return ((resource.type, resource.created_at) for resource in recent if resource)

    def not_found_codes(self, names: tuple[str, ...]) -> Codes:
        """Return the not-found codes of those resources in `names` that reads may still miss."""
        now = self._clock.now()
        return frozenset().union(
            *(
                resource_type.not_found_codes
                for resource_type, created_at in self.recent_types(names)
                if now - created_at < RECENT_SECONDS
            )
        )

    def may_explain(self, error: BaseException) -> bool:
        """Return whether a call may have been refused only because a recent resource is not known everywhere.

        The error is a refusal or a denial that names the resource, or it has the code by which the services
        report a resource of its type that they do not know.
        """
        if categorize(error) not in (ErrorCategory.REFUSED, ErrorCategory.DENIED) or _PERMANENT_MESSAGE.search(
            str(error)
        ):
            return False
        window, now = self._clients.aws.consistency_window(PROPAGATION_SECONDS) + SLACK_SECONDS, self._clock.now()
        return any(
            matches_codes(error, resource.type.unknown_reference_codes)
            or any(_mentions(str(error), name) for name in resource.identifiers)
            for resource in list(self._by_logical_id.values())
            if now - resource.created_at < window
        )

    def _add(
        self, logical_id: str, resource_type: ResourceType, identifiers: tuple[str, ...], created_at: float
    ) -> None:
        age = max(0.0, self._clock.wall() - created_at) if created_at else 0.0
        names = {part for name in identifiers for part in name.split("|") if _IDENTIFIER_CHARACTER.search(part)}
        self._by_logical_id[logical_id] = _RecentResource(resource_type, self._clock.now() - age, tuple(names))


def _mentions(message: str, name: str) -> bool:
    """Return whether the message contains the name as a whole, by itself or as part of an ARN."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message))


# Reads that must miss a resource before it counts as gone: AWS may overlook an old one for a moment.
_ABSENCE_READS = 2


def is_gone(clients: Clients, managed: ManagedResource, error: BaseException) -> bool:
    """Return whether a delete that failed has nothing left to delete.

    A not-found code of the type proves it. After any other refusal, or where no answer came, reads decide.
    After a denied or throttled call nothing is read, and a read that fails proves nothing.
    """
    if code_of(error) in managed.type.not_found_codes or is_unsupported_call(clients, managed, error):
        return True
    if categorize(error) not in (ErrorCategory.REFUSED, ErrorCategory.LOST):
        return False
    try:
        return not any(_exists(clients, managed) for _ in range(_ABSENCE_READS))
    except (BotoCoreError, ClientError, OwnershipConflict):
        return False


def is_permanent_refusal(managed: ManagedResource, error: BaseException) -> bool:
    """Return whether AWS refused a delete by a code that is not among the type's temporary ones."""
    return categorize(error) is ErrorCategory.REFUSED and not matches_codes(
        error, managed.type.retryable_codes.get("delete", frozenset())
    )


def is_protected(resource_type: ResourceType, actual: JsonObject) -> bool:
    """Return whether a property in the actual state makes AWS refuse the deletion; absent ones do not."""
    return any(key in actual and not covers(actual[key], off) for key, off in resource_type.unprotected.items())


def deletion_protection(clients: Clients, managed: ManagedResource) -> JsonObject | None:
    """Return the actual state of a resource that is protected from deletion; None of any other.

    It is None, too, where the read fails, as that proves nothing.
    """
    if not managed.type.unprotect_command:
        return None
    try:
        actual = read(clients, managed)
        if actual is None or is_protected(managed.type, actual):
            return actual
        client = clients.client(managed.type.service, managed.region)
        return managed.type.deletion_protected(client, managed.spec, actual) or None
    except (BotoCoreError, ClientError, OwnershipConflict, UnsupportedOperation):
        return None


def unprotect_command(clients: Clients, managed: ManagedResource, actual: JsonObject) -> str:
    """Return the command that ends the protection of a resource, in backquotes."""
    region = managed.region or clients.aws.region
    return f"`{managed.type.unprotect_command.format(**actual)} --region {region}`"


def _exists(clients: Clients, managed: ManagedResource) -> bool:
    actual = read(clients, managed)
    return actual is not None and not meets_condition(actual, managed.type.deleted)
