"""The waiter, which reads a resource until it is ready or gone; after a timeout, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, stop_after_delay

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.polling import wait_until_due
from provisioner.engine.calls.retry_policy import RetryPolicy, elapsed_seconds
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.execution.events import Event, Listener
from provisioner.engine.execution.managed_resource import CONSISTENCY_SECONDS, ManagedResource, read
from provisioner.engine.planning.diff import differences, meets_condition
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import WaitTimeout


class Waiter:
    """The waits of a run for its resources, with reads as often as is useful; shared by all threads."""

    def __init__(self, clients: Clients, publish: Listener, history: DurationHistory) -> None:
        self.clients = clients
        self.publish = publish
        self.durations = history
        self.clock = clients.clock
        self.speed = clients.aws.speed

    def wait_until_ready(
        self, managed: ManagedResource, *, updated: bool, on_read: Callable[[JsonObject], None]
    ) -> JsonObject:
        """Wait until a resource is ready, and return its actual properties.

        Args:
            managed: The resource.
            updated: Whether it was updated. If so, reads that may still show its former properties do not
                count.
            on_read: Called with the properties of each read, but not in the first `stale_seconds` after an
                update.

        Raises:
            WaitTimeout: The resource is not ready after its timeout.
            ProvisionerError: AWS reports that it failed.

        """
        if self._is_ready_at_reply(managed, updated=updated):
            on_read(managed.spec.reply)
            return managed.spec.reply
        return self._read_until_ready(managed, updated=updated, on_read=on_read)

    def _read_until_ready(
        self, managed: ManagedResource, *, updated: bool, on_read: Callable[[JsonObject], None]
    ) -> JsonObject:
        """Read a resource until it is ready, as `wait_until_ready` describes."""
        resource_type, spec = managed.type, managed.spec
        start, since, requested_action, extra_seconds = self.clock.now(), self.clock.wall(), "", 0.0
        stale_seconds = resource_type.stale_seconds * self.speed if updated else 0.0
        due = self.durations.typical_seconds(resource_type, managed.region, "update" if updated else "create", "ready")
        self.publish(Event("waiting", spec.logical_id, detail=f"usually {due:.0f} s" if due >= 1 else ""))

        def probe() -> JsonObject | None:
            nonlocal requested_action, extra_seconds
            actual = read(self.clients, managed)
            if actual is None or self.clock.now() - start < stale_seconds:
                return None
            on_read(actual)
            extra_seconds = resource_type.extra_seconds(actual)
            if updated and self._is_stale(managed, actual, self.clock.now() - start):
                return None
            if self._is_ready(managed, actual, since):
                return actual
            previous, requested_action = requested_action, resource_type.required_action(actual)
            if requested_action and requested_action != previous:
                self.publish(Event("asking", spec.logical_id, detail=requested_action))
            return None

        def is_over(state: RetryCallState) -> bool:
            return elapsed_seconds(state) >= managed.timeout + extra_seconds  # which grows with what is read

        ready = RetryPolicy(self.clock, is_over, wait=wait_until_due(due)).poll(probe)
        if ready is None:
            raise WaitTimeout(
                f"{spec.aws_name or spec.logical_id} is not ready after {managed.timeout + extra_seconds:.0f} s; "
                f"{'it waits for you' if requested_action else 'AWS is still at it'}.",
                f"{requested_action}\nNothing is lost: run the same command again, and it waits on.".lstrip(),
            )
        return ready

    def _is_ready_at_reply(self, managed: ManagedResource, *, updated: bool) -> bool:
        """Return whether AWS's reply to the create or update says that the resource is ready: no read says more.

        The reply to an update must show the desired properties, too.
        """
        resource_type, reply = managed.type, managed.spec.reply
        if not reply or not resource_type.ready or not meets_condition(reply, resource_type.ready):
            return False
        return not updated or not differences(resource_type, managed.spec.props, reply, None)

    def _is_ready(self, managed: ManagedResource, actual: JsonObject, since: float) -> bool:
        """Return whether the resource is ready; raise its error if AWS reports that it failed."""
        resource_type, client = managed.type, self.clients.client(managed.type.service, managed.region)
        is_ready = meets_condition(actual, resource_type.ready)
        has_failed = meets_condition(actual, resource_type.failed)
        if has_failed or (is_ready and resource_type.is_stale(client, managed.spec, since)):
            raise resource_type.failure(client, managed.spec, actual)
        return is_ready

    def _is_stale(self, managed: ManagedResource, actual: JsonObject, elapsed: float) -> bool:
        """Return whether AWS still returns the properties from before the update, and may do so yet."""
        window = self.clients.aws.consistency_window(CONSISTENCY_SECONDS)
        is_early = elapsed < window and self.clients.aws.is_faithful
        return is_early and bool(differences(managed.type, managed.spec.props, actual, None))

    def wait_until_deleted(self, managed: ManagedResource, since: float | None = None) -> None:
        """Wait until AWS reports that a resource is deleted.

        `since` is the time at which its deletion was first requested, now if None.

        Raises:
            WaitTimeout: The resource still exists after the timeout of its type.

        """
        resource_type, spec = managed.type, managed.spec
        self.publish(Event("waiting", spec.logical_id, "delete"))

        def probe() -> bool | None:
            actual = read(self.clients, managed)
            ended = (
                actual is None
                or meets_condition(actual, resource_type.deleted)
                or meets_condition(actual, resource_type.expiring)
            )
            return True if ended else None

        elapsed = 0.0 if since is None else self.clock.now() - since
        usual = self.durations.typical_seconds(resource_type, managed.region, "delete", "gone")
        wait = wait_until_due(max(usual - elapsed, 0))
        policy = RetryPolicy(self.clock, stop_after_delay(resource_type.timeout), wait=wait)
        if not policy.poll(probe):
            raise WaitTimeout(
                f"{spec.aws_name or spec.id} is still there after {resource_type.timeout:.0f} s.",
                "Nothing is lost: run the same command again, and it waits on.",
            )
