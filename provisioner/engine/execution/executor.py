"""The executor: create, update, delete or wait for one resource, with the state written around each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of, describe_error
from provisioner.engine.estimates.critical_path import DurationHistory
from provisioner.engine.execution.consistency import ConsistencyLookup, is_gone, is_permanent_refusal
from provisioner.engine.execution.cooldown import Cooldown, last_change
from provisioner.engine.execution.events import Listener
from provisioner.engine.execution.live_merge import merge_into_live
from provisioner.engine.execution.managed_resource import (
    CONSISTENCY_SECONDS,
    ManagedResource,
    consistency_seconds_left,
    read,
)
from provisioner.engine.execution.resource_calls import ResourceCalls
from provisioner.engine.execution.unsupported import UnsupportedResources
from provisioner.engine.execution.waiter import Waiter
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import update_of
from provisioner.engine.planning.resource_owner import is_foreign, is_identified_by_name, owner_description
from provisioner.engine.resource_graph.references import JsonObject, reveal_secrets
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.engine.types.blocker import (
    OwnershipConflict,
    RetryLater,
    blocked_error,
    matches_codes,
    may_have_blockers,
)
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.names import own_tags
from state.manager import StateManager
from state.stack_state import ResourceState


class ResourceExecutor:
    """The executor of resource types' actions, one resource at a time; shared by all threads of a run."""

    def __init__(
        self,
        clients: Clients,
        state_manager: StateManager,
        listen: Listener,
        history: DurationHistory | None = None,
        marker: RunMarker | None = None,
    ) -> None:
        self.clients = clients
        self.marker = marker
        self.state_manager = state_manager
        self.listen = listen
        self.clock = clients.clock
        self.speed = clients.aws.speed
        self.consistency = ConsistencyLookup(clients)
        self.durations = history or DurationHistory(self.speed)
        self.unsupported = UnsupportedResources(clients, listen)
        self.resource_calls = ResourceCalls(clients, listen, self.durations)
        self.waiter = Waiter(clients, listen, self.durations)
        # Resources whose create AWS refused as they exist already, perhaps made by somebody else.
        self.already_existing: set[str] = set()

    def read(self, managed: ManagedResource) -> JsonObject | None:
        """Return the actual state of a resource; None where it does not exist."""
        return read(self.clients, managed)

    def create(self, managed: ManagedResource) -> JsonObject:
        """Create a resource unless an earlier attempt did; write its id to the state, return AWS's answer."""
        marker = self.marker if self.marker and self.marker.logical_id == managed.spec.logical_id else None
        managed = marker.with_mark(managed) if marker else managed
        resource_state = self._resource_state(managed)
        known_state = self.state_manager.get(managed.spec.logical_id)
        reopened = bool(known_state and known_state.intent and known_state.intent.action == "create")
        cooldown = self._cooldown(managed)
        intent = self.state_manager.record_intent(managed.spec.logical_id, "create", resource_state)
        attempted_at = self.consistency.last_attempt(managed, intent.started_at)
        actual = (
            self._find_earlier_attempt(managed, attempted_at, managed.type.consistency_seconds) if reopened else None
        )
        changed_at = attempted_at
        if actual is None:
            with_token = replace(managed, spec=replace(managed.spec, token=intent.token))
            actual = cooldown.call(lambda: self._create_with_retry(with_token))
            changed_at = self.clock.wall()
        self.resource_calls.recent.add(managed.with_id(managed.type.id_of(actual)))
        self.state_manager.record_id(
            managed.spec.logical_id, managed.type.id_of(actual), changed_at if managed.type.cooldown else 0.0
        )
        if marker:
            marker.begin()
        return actual

    def _find_earlier_attempt(self, managed: ManagedResource, since: float, hidden_seconds: float) -> JsonObject | None:
        """Return what an earlier attempt created; raise LockHeld where it is the marker of another run."""
        actual = self.consistency.find(managed, since, hidden_seconds)
        if actual is not None and self.marker and self.marker.logical_id == managed.spec.logical_id:
            self.marker.check_created(actual)
        return actual

    def _cooldown(self, managed: ManagedResource) -> Cooldown:
        return Cooldown(self.state_manager, self.clock, self.speed, managed, self.listen)

    def _create_with_retry(self, managed: ManagedResource) -> JsonObject:
        spec = managed.spec
        client = self.resource_calls.client(managed)

        @cache
        def shown() -> ResourceSpec:
            # Once for all attempts, and only to create: a restored resource holds its secrets already.
            return replace(spec, props=reveal_secrets(spec.props, self.clients, managed.lookup))

        # Where AWS says that the resource exists, or the reply was lost, it is looked for.
        def once() -> JsonObject:
            try:
                return managed.type.restore(client, spec) or managed.type.create(client, shown())
            except Exception as error:
                if self.unsupported.try_skip(managed, "create", error):
                    return dict(spec.props)
                exists_already = matches_codes(error, managed.type.already_exists_codes)
                if not exists_already and categorize(error) is not ErrorCategory.LOST:
                    raise
                hidden_seconds = CONSISTENCY_SECONDS if exists_already else managed.type.consistency_seconds
                actual = self._find_earlier_attempt(managed, self.clock.wall(), hidden_seconds)
                if actual is None:
                    raise
                self.already_existing |= {spec.logical_id} if exists_already else set()
                return actual

        made: JsonObject = self.resource_calls.call(once, managed, "create")
        return made

    def update(self, managed: ManagedResource, change: Change) -> ManagedResource:
        """Update the fields that differ and remove unmanaged children; safe to repeat after a crash.

        Return the target with AWS's reply, for the wait until it is ready.
        """
        cooldown = self._cooldown(managed)
        cooldown.wait()
        return managed.with_reply(managed.spec.id, cooldown.call(lambda: self._update_with_retry(managed, change)))

    def _update_with_retry(self, managed: ManagedResource, change: Change) -> JsonObject:
        resource_type, spec = managed.type, managed.spec
        self.state_manager.record_intent(spec.logical_id, "update", self._resource_state(managed, "updating"))
        client = self.resource_calls.client(managed)
        known_state = self.state_manager.get(spec.logical_id)
        before = (known_state.recorded if known_state else None) or {}
        update = update_of(resource_type, spec.props, change.differences)

        def once() -> JsonObject:
            reply: JsonObject | None = None
            if update.changes_properties or not (change.differences or change.unmanaged):
                shown = replace(spec, props=reveal_secrets(spec.props, self.clients, managed.lookup))
                changed = reveal_secrets(update.changed, self.clients, managed.lookup)
                reply = resource_type.update(client, *merge_into_live(client, resource_type, shown, changed, before))
            if update.tags:
                resource_type.retag(client, spec, update.tags_to_set, update.tags_to_remove)
            for unmanaged in change.unmanaged:
                _remove_unmanaged(resource_type, client, spec, unmanaged)
            return reply or {}

        def passing() -> JsonObject:
            try:
                return once()
            except Exception as error:
                if self.unsupported.try_skip(managed, "update", error):
                    return {}
                raise

        told: JsonObject = self.resource_calls.call(passing, managed, "update")
        return told

    def wait_and_confirm(
        self, managed: ManagedResource, *, updated: bool = False, actual: Callable[[JsonObject], None]
    ) -> JsonObject:
        """Wait until a resource is ready and record that; call `actual` with each actual state read meanwhile.

        `updated` says that it was just updated: AWS may still tell its old state.
        """
        waits = (bool(managed.type.ready) or updated) and managed.spec.logical_id not in self.unsupported.logical_ids
        doc = self.waiter.wait_until_ready(managed, updated=updated, actual=actual) if waits else {}
        self.confirm(managed.spec.logical_id, managed.type)
        return doc

    def confirm(self, logical_id: str, resource_type: ResourceType) -> None:
        """Record that AWS holds the desired properties; a cooldown starts at the time of the open intent."""
        self.state_manager.record_ready(
            logical_id, changed=last_change(resource_type, self.state_manager.get(logical_id))
        )

    def delete(self, managed: ManagedResource, on_accepted: Callable[[], None] = lambda: None) -> str:
        """Delete a resource, wait until AWS says that it is gone, and leave a tombstone in the state.

        `on_accepted` is called when AWS has accepted the first call: resources that wait only for that can then go
        too. A resource that must outlive the stack is kept, and the state forgets it. Return for whose sake
        it is kept, in words; "" where it is deleted.

        Raises:
            Foreign: Its name now belongs to somebody else's resource. Ours is gone, and the state forgets it.

        """
        resource_type, logical_id = managed.type, managed.spec.logical_id
        resource_state = self.state_manager.get(logical_id)
        if resource_type.deleted_with_parent:
            self.state_manager.remove(logical_id, deleted=True)
            return ""
        if resource_state and not resource_state.id:
            actual = self._find_lost_reply(managed, resource_state)
            if actual is None:
                self.state_manager.remove(logical_id, deleted=False)
                return ""
            managed = managed.with_id(resource_type.id_of(actual))
            self.state_manager.record_id(logical_id, managed.spec.id)
        self._check_owner(managed)
        if retention_reason := resource_type.retention_reason(self.resource_calls.client(managed), managed.spec):
            self.state_manager.remove(logical_id, deleted=False)
            return retention_reason
        if resource_state:
            self.state_manager.record_intent(
                logical_id, "delete", replace(resource_state, id=managed.spec.id, phase="deleting")
            )
        start = self.clock.now()
        self._delete_until_accepted(managed, on_accepted, start)
        on_accepted()
        self.waiter.wait_until_deleted(managed, start)
        self.state_manager.remove(logical_id, deleted=True)
        return ""

    def _check_owner(self, managed: ManagedResource) -> None:
        """Raise Foreign where the name of a resource, or of its parent, now belongs to somebody else's.

        A name proves nothing: ours may be gone, and another one may have been created with the same name.
        """
        for one in (managed, *managed.parents):
            actual = self.read(one) if is_identified_by_name(one.type) else None
            if actual is not None and is_foreign(one.type, one.spec.tags, actual):
                self.state_manager.remove(managed.spec.logical_id, deleted=False)
                raise OwnershipConflict(
                    f"{one.description} is {owner_description(one.type, actual)}.", "It stays as it is."
                )

    def _find_lost_reply(self, managed: ManagedResource, resource_state: ResourceState) -> JsonObject | None:
        """Find the resource whose create call was never answered; None where none of ours exists.

        No create call follows that would find it: a resource overlooked here would be left for ever.
        """
        try:
            intended_at = resource_state.intent.started_at if resource_state.intent else self.clock.wall()
            return self.consistency.find(
                managed, self.consistency.last_attempt(managed, intended_at), CONSISTENCY_SECONDS
            )
        except OwnershipConflict:  # somebody else's resource stays, and does not stop ours from going
            return None

    def _delete_until_accepted(self, managed: ManagedResource, on_accepted: Callable[[], None], start: float) -> None:
        """Call delete until AWS accepts it or the resource is gone; raise an error that names blockers."""
        try:
            self.resource_calls.call(lambda: self._delete_once(managed, on_accepted, start), managed, "delete")
        except Exception as error:
            if is_gone(self.clients, managed, error):
                return
            if may_have_blockers(error, managed.type.unblocked_codes) and (
                blockers := self.resource_calls.blockers(managed)
            ):
                curable = not is_permanent_refusal(managed, error)
                raise blocked_error(managed.description, blockers, describe_error(error), curable=curable) from error
            raise

    def _delete_once(self, managed: ManagedResource, on_accepted: Callable[[], None], start: float) -> None:
        # One attempt; a refusal counts as success where the resource proves to be gone.
        try:
            managed.type.delete(self.resource_calls.client(managed), managed.spec)
        except RetryLater:
            on_accepted()
            raise
        except UnsupportedOperation as error:
            if not self.unsupported.try_skip(managed, "delete", error):
                raise
        except ClientError as error:
            if self.unsupported.try_skip(managed, "delete", error):
                return
            known = code_of(error) in managed.type.not_found_codes or is_permanent_refusal(managed, error)
            if not known or not is_gone(self.clients, managed, error):
                raise
            resource_state = self.state_manager.get(managed.spec.logical_id)
            # The time since this delete began counts too: a creation time by a fast clock would never be old.
            late = self.clock.now() - start >= self.clients.aws.consistency_window(CONSISTENCY_SECONDS)
            if resource_state and not late and consistency_seconds_left(self.clients, resource_state.created_at):
                raise RetryLater("it is so new that AWS may not show it yet") from error

    def _resource_state(self, managed: ManagedResource, phase: str = "creating") -> ResourceState:
        spec = managed.spec
        known_state = self.state_manager.get(spec.logical_id)
        return ResourceState(
            type_name=str(managed.type),
            aws_name=spec.aws_name,
            step=managed.step,
            region=managed.region,
            phase="updating" if phase == "updating" else "creating",
            id=spec.id,
            desired=to_recorded(spec.props, self.state_manager.salt),
            recorded=known_state.recorded if known_state and known_state.id == spec.id else None,
            depends_on=list(managed.depends_on),
            created_at=known_state.created_at if known_state and known_state.id == spec.id else 0.0,
            changed_at=known_state.changed_at if known_state and known_state.id == spec.id else 0.0,
            tags=own_tags(spec.tags),
        )


def _remove_unmanaged(resource_type: ResourceType, client: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
    try:
        resource_type.remove_unmanaged(client, spec, unmanaged)
    except ClientError as error:
        if code_of(error) not in unmanaged.not_found_codes:
            raise
