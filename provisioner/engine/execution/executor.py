"""The executor: create, update, delete or wait for one resource, with the state written around each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Literal

from botocore.exceptions import ClientError

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.execution.consistency import ConsistencyLookup
from provisioner.engine.execution.cooldown import Cooldown, last_change
from provisioner.engine.execution.deletion import ResourceDeleter
from provisioner.engine.execution.events import Listener
from provisioner.engine.execution.live_merge import merge_into_live
from provisioner.engine.execution.managed_resource import (
    CONSISTENCY_SECONDS,
    ManagedResource,
    read,
)
from provisioner.engine.execution.resource_calls import ResourceCalls
from provisioner.engine.execution.unsupported import UnsupportedResources
from provisioner.engine.execution.waiter import Waiter
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import ResourceUpdate, update_of
from provisioner.engine.resource_graph.references import JsonObject, reveal_secrets
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.engine.types.blocker import (
    matches_codes,
)
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.names import user_tags
from state.manager import StateManager
from state.stack_state import ResourceState


class ResourceExecutor:
    """The executor of resource types' actions, one resource at a time; shared by all threads of a run."""

    def __init__(
        self,
        clients: Clients,
        state_manager: StateManager,
        publish: Listener,
        history: DurationHistory | None = None,
        marker: RunMarker | None = None,
    ) -> None:
        self.clients = clients
        self.marker = marker
        self.state_manager = state_manager
        self.publish = publish
        self.clock = clients.clock
        self.speed = clients.aws.speed
        self.consistency = ConsistencyLookup(clients)
        self.durations = history or DurationHistory(self.speed)
        self.unsupported = UnsupportedResources(clients, publish)
        self.resource_calls = ResourceCalls(clients, publish, self.durations)
        self.waiter = Waiter(clients, publish, self.durations)
        self._deleter = ResourceDeleter(
            self.resource_calls, state_manager, self.consistency, self.waiter, self.unsupported
        )
        # Resources whose create AWS refused as they exist already, perhaps made by somebody else.
        self.already_existing: set[str] = set()

    def read(self, managed: ManagedResource) -> JsonObject | None:
        """Return the actual state of a resource; None where it does not exist."""
        return read(self.clients, managed)

    def create(self, managed: ManagedResource) -> JsonObject:
        """Create a resource unless an earlier attempt did; write its id to the state, return AWS's answer."""
        if self.marker is None or self.marker.logical_id != managed.spec.logical_id:
            return self._create(managed)
        actual = self._create(self.marker.with_mark(managed))
        self.marker.begin()
        return actual

    def _create(self, managed: ManagedResource) -> JsonObject:
        logical_id = managed.spec.logical_id
        was_begun = self._has_open_create(logical_id)
        cooldown = self._cooldown(managed)
        intent = self.state_manager.record_intent(logical_id, "create", self._resource_state(managed))
        changed_at = self.consistency.last_attempt(managed, intent.started_at)
        actual = self._find_created(managed, changed_at, managed.type.consistency_seconds) if was_begun else None
        if actual is None:
            with_token = replace(managed, spec=replace(managed.spec, token=intent.token))
            actual = cooldown.call(lambda: self._create_with_retry(with_token))
            changed_at = self.clock.wall()
        id_ = managed.type.id_of(actual)
        self.resource_calls.recent.add(managed.with_id(id_))
        self.state_manager.record_id(logical_id, id_, changed_at if managed.type.cooldown else 0.0)
        return actual

    def _has_open_create(self, logical_id: str) -> bool:
        """Return whether an earlier run may have created a resource without recording it."""
        known_state = self.state_manager.get(logical_id)
        return bool(known_state and known_state.intent and known_state.intent.action == "create")

    def _find_created(self, managed: ManagedResource, since: float, hidden_seconds: float) -> JsonObject | None:
        """Return what an earlier attempt created, or None; raise LockHeld if it is the marker of another run."""
        actual = self.consistency.find(managed, since, hidden_seconds)
        if actual is not None and self.marker and self.marker.logical_id == managed.spec.logical_id:
            self.marker.check_created(actual)
        return actual

    def _cooldown(self, managed: ManagedResource) -> Cooldown:
        return Cooldown(self.state_manager, self.clock, self.speed, managed, self.publish)

    def _create_with_retry(self, managed: ManagedResource) -> JsonObject:
        """Restore or create a resource; if AWS says that it exists, or the reply is lost, look for it."""
        spec, client = managed.spec, self.resource_calls.client(managed)

        @cache
        def revealed_spec() -> ResourceSpec:
            # Once for all attempts, and only to create: a restored resource holds its secrets already.
            return replace(spec, props=reveal_secrets(spec.props, self.clients, managed.lookup))

        def attempt() -> JsonObject:
            try:
                return managed.type.restore(client, spec) or managed.type.create(client, revealed_spec())
            except Exception as error:
                actual = self._result_despite_error(managed, error)
                if actual is None:
                    raise
                return actual

        reply: JsonObject = self.resource_calls.call(attempt, managed, "create")
        return reply

    def _result_despite_error(self, managed: ManagedResource, error: Exception) -> JsonObject | None:
        """Return the actual state after a create that failed, if the resource exists all the same; else None."""
        if self.unsupported.try_skip(managed, "create", error):
            return dict(managed.spec.props)
        exists_already = matches_codes(error, managed.type.already_exists_codes)
        if not exists_already and categorize(error) is not ErrorCategory.LOST:
            return None
        hidden_seconds = CONSISTENCY_SECONDS if exists_already else managed.type.consistency_seconds
        actual = self._find_created(managed, self.clock.wall(), hidden_seconds)
        if actual is not None and exists_already:
            self.already_existing.add(managed.spec.logical_id)
        return actual

    def update(self, managed: ManagedResource, change: Change) -> ManagedResource:
        """Update the fields that differ and remove unmanaged children; safe to repeat after a crash.

        Return the resource with AWS's reply, for the wait until it is ready.
        """
        cooldown = self._cooldown(managed)
        cooldown.wait()
        return managed.with_reply(managed.spec.id, cooldown.call(lambda: self._update_with_retry(managed, change)))

    def _update_with_retry(self, managed: ManagedResource, change: Change) -> JsonObject:
        """Record the intent and make the calls of an update, together repeated until AWS accepts them all."""
        self.state_manager.record_intent(
            managed.spec.logical_id, "update", self._resource_state(managed, phase="updating")
        )
        update = update_of(managed.type, managed.spec.props, change.differences)

        def attempt() -> JsonObject:
            try:
                return self._update_once(managed, change, update)
            except Exception as error:
                if self.unsupported.try_skip(managed, "update", error):
                    return {}
                raise

        reply: JsonObject = self.resource_calls.call(attempt, managed, "update")
        return reply

    def _update_once(self, managed: ManagedResource, change: Change, update: ResourceUpdate) -> JsonObject:
        """Change the properties and the tags that differ, remove unmanaged children, and return AWS's reply."""
        resource_type, spec, client = managed.type, managed.spec, self.resource_calls.client(managed)
        reply: JsonObject | None = None
        if update.changes_properties or not (change.differences or change.unmanaged):
            revealed = replace(spec, props=reveal_secrets(spec.props, self.clients, managed.lookup))
            changed = reveal_secrets(update.changed, self.clients, managed.lookup)
            known_state = self.state_manager.get(spec.logical_id)
            recorded = (known_state.recorded if known_state else None) or {}
            reply = resource_type.update(client, *merge_into_live(client, resource_type, revealed, changed, recorded))
        if update.tags:
            resource_type.retag(client, spec, update.tags_to_set, update.tags_to_remove)
        for unmanaged in change.unmanaged:
            _remove_unmanaged(resource_type, client, spec, unmanaged)
        return reply or {}

    def wait_and_confirm(
        self, managed: ManagedResource, *, updated: bool = False, on_read: Callable[[JsonObject], None]
    ) -> JsonObject:
        """Wait until a resource is ready and record that; call `on_read` with each actual state read meanwhile.

        `updated` says that it was just updated: AWS may still tell its old state.
        """
        must_wait = (
            bool(managed.type.ready) or updated
        ) and managed.spec.logical_id not in self.unsupported.logical_ids
        ready = self.waiter.wait_until_ready(managed, updated=updated, on_read=on_read) if must_wait else {}
        self.confirm(managed.spec.logical_id, managed.type)
        return ready

    def confirm(self, logical_id: str, resource_type: ResourceType) -> None:
        """Record that AWS holds the desired properties; a cooldown starts at the time of the open intent."""
        self.state_manager.record_ready(
            logical_id, changed=last_change(resource_type, self.state_manager.get(logical_id))
        )

    def delete(
        self, managed: ManagedResource, on_accepted: Callable[[], None] = lambda: None, *, checked_later: bool = False
    ) -> str:
        """Delete a resource, or keep one that must outlive the stack, as `ResourceDeleter.delete` does."""
        return self._deleter.delete(managed, on_accepted, checked_later=checked_later)

    def delete_list(self, resources: list[ManagedResource]) -> bool:
        """Delete several resources by one call, as `ResourceDeleter.delete_list` does."""
        return self._deleter.delete_list(resources)

    def _resource_state(
        self, managed: ManagedResource, phase: Literal["creating", "updating"] = "creating"
    ) -> ResourceState:
        """Return the state of a resource as it is to be recorded with an intent."""
        spec = managed.spec
        known_state = self.state_manager.get(spec.logical_id)
        same_resource = known_state if known_state and known_state.id == spec.id else None
        return ResourceState(
            type_name=str(managed.type),
            aws_name=spec.aws_name,
            step=managed.step,
            region=managed.region,
            phase=phase,
            id=spec.id,
            desired=to_recorded(spec.props, self.state_manager.salt),
            recorded=same_resource.recorded if same_resource else None,
            depends_on=list(managed.depends_on),
            created_at=same_resource.created_at if same_resource else 0.0,
            changed_at=same_resource.changed_at if same_resource else 0.0,
            tags=user_tags(spec.tags),
        )


def _remove_unmanaged(resource_type: ResourceType, client: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
    try:
        resource_type.remove_unmanaged(client, spec, unmanaged)
    except ClientError as error:
        if code_of(error) not in unmanaged.not_found_codes:
            raise
