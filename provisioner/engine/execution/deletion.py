"""The deletion of one resource: whose it is, what AWS answers, and what is left of it in the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.error_categories import code_of, describe_error
from provisioner.engine.calls.user_errors import user_error
from provisioner.engine.execution.consistency import ConsistencyLookup, is_gone, is_permanent_refusal
from provisioner.engine.execution.managed_resource import (
    CONSISTENCY_SECONDS,
    ManagedResource,
    consistency_seconds_left,
    read,
)
from provisioner.engine.execution.resource_calls import ResourceCalls
from provisioner.engine.execution.unsupported import UnsupportedResources
from provisioner.engine.execution.waiter import Waiter
from provisioner.engine.planning.resource_owner import is_foreign, is_identified_by_name, owner_description
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import OwnershipConflict, RetryLater, blocked_error, may_have_blockers
from state.manager import StateManager
from state.stack_state import ResourceState


class ResourceDeleter:
    """The deletions of a run, one resource at a time; shared by all threads."""

    def __init__(
        self,
        resource_calls: ResourceCalls,
        state_manager: StateManager,
        consistency: ConsistencyLookup,
        waiter: Waiter,
        unsupported: UnsupportedResources,
    ) -> None:
        self._clients = resource_calls.clients
        self._clock = resource_calls.clock
        self._resource_calls = resource_calls
        self._state_manager = state_manager
        self._consistency = consistency
        self._waiter = waiter
        self._unsupported = unsupported

    def delete(self, managed: ManagedResource, on_accepted: Callable[[], None], *, checked_later: bool) -> str:
        """Delete a resource, wait until AWS says that it is gone, and leave a tombstone in the state.

        Args:
            managed: The resource, with the id that the state holds, which may be empty.
            on_accepted: Called when AWS has accepted the first call: resources that wait only for that can then
                go, too.
            checked_later: Whether the final check of a teardown will ask for the id: a resource that AWS has deleted
                when it answers (`deleted_at_reply`) is then not read here.

        Returns:
            For whose sake a resource is kept that must outlive the stack, in words; "" if it is deleted. The
            state forgets a kept resource.

        Raises:
            OwnershipConflict: Its name now belongs to somebody else's resource. Ours is gone, and the state
                forgets it.

        """
        logical_id = managed.spec.logical_id
        if managed.type.deleted_with_parent:
            self._state_manager.remove(logical_id, deleted=True)
            return ""
        identified = self._with_known_id(managed)
        if identified is None:
            self._state_manager.remove(logical_id, deleted=False)
            return ""
        self._check_owner(identified)
        if retention_reason := managed.type.retention_reason(self._resource_calls.client(managed), identified.spec):
            self._state_manager.remove(logical_id, deleted=False)
            return retention_reason
        self._record_intent(identified)
        start = self._clock.now()
        self._delete_until_accepted(identified, on_accepted, start)
        on_accepted()
        if not (checked_later and managed.type.deleted_at_reply):
            self._waiter.wait_until_deleted(identified, start)
        self._state_manager.remove(logical_id, deleted=True)
        return ""

    def delete_list(self, resources: list[ManagedResource]) -> bool:
        """Delete several resources of one type and container by one call; return whether they are deleted.

        They are not if AWS refused the call or its reply was lost: then each is to be deleted by itself, which finds
        out what is gone and reports what is in the way.
        """
        first = resources[0]
        for managed in resources:
            self._record_intent(managed)
        client, specs = self._resource_calls.client(first), [managed.spec for managed in resources]
        try:
            self._resource_calls.call(lambda: first.type.delete_list(client, specs), first, "delete")
        except Exception as error:
            if user_error(error, "deleting") is None:
                raise
            return False
        for managed in resources:
            self._state_manager.remove(managed.spec.logical_id, deleted=True)
        return True

    def _with_known_id(self, managed: ManagedResource) -> ManagedResource | None:
        """Return the resource with its id, looked up if the state does not hold it; None if none of ours exists."""
        resource_state = self._state_manager.get(managed.spec.logical_id)
        if resource_state is None or resource_state.id:
            return managed
        actual = self._find_unanswered_create(managed, resource_state)
        if actual is None:
            return None
        id_ = managed.type.id_of(actual)
        self._state_manager.record_id(managed.spec.logical_id, id_)
        return managed.with_id(id_)

    def _find_unanswered_create(self, managed: ManagedResource, resource_state: ResourceState) -> JsonObject | None:
        """Find the resource whose create call was never answered; None if none of ours exists.

        No create call follows that would find it: a resource overlooked here would be left for ever.
        """
        try:
            intended_at = resource_state.intent.started_at if resource_state.intent else self._clock.wall()
            last_attempt = self._consistency.last_attempt(managed, intended_at)
            return self._consistency.find(managed, last_attempt, CONSISTENCY_SECONDS)
        except OwnershipConflict:  # somebody else's resource stays, and does not stop ours from going
            return None

    def _check_owner(self, managed: ManagedResource) -> None:
        """Raise OwnershipConflict if the name of a resource, or of its parent, now belongs to somebody else's.

        A name proves nothing: ours may be gone, and another one may have been created with the same name.
        """
        for resource in (managed, *managed.parents):
            actual = read(self._clients, resource) if is_identified_by_name(resource.type) else None
            if actual is not None and is_foreign(resource.type, resource.spec.tags, actual):
                self._state_manager.remove(managed.spec.logical_id, deleted=False)
                raise OwnershipConflict(
                    f"{resource.description} is {owner_description(resource.type, actual)}.", "It stays as it is."
                )

    def _record_intent(self, managed: ManagedResource) -> None:
        logical_id = managed.spec.logical_id
        if resource_state := self._state_manager.get(logical_id):
            deleting = replace(resource_state, id=managed.spec.id, phase="deleting")
            self._state_manager.record_intent(logical_id, "delete", deleting)

    def _delete_until_accepted(self, managed: ManagedResource, on_accepted: Callable[[], None], start: float) -> None:
        """Call delete until AWS accepts it or the resource is gone; raise an error that names blockers."""
        try:
            self._resource_calls.call(lambda: self._delete_once(managed, on_accepted, start), managed, "delete")
        except Exception as error:
            if is_gone(self._clients, managed, error):
                return
            may_be_blocked = may_have_blockers(error, managed.type.unblocked_codes)
            if may_be_blocked and (blockers := self._resource_calls.blockers(managed)):
                curable = not is_permanent_refusal(managed, error)
                raise blocked_error(managed.description, blockers, describe_error(error), curable=curable) from error
            raise

    def _delete_once(self, managed: ManagedResource, on_accepted: Callable[[], None], start: float) -> None:
        """Call delete once; count a refusal as success if the resource proves to be gone.

        Raises:
            RetryLater: AWS must finish a step first, or the resource is so new that reads may miss it.

        """
        try:
            managed.type.delete(self._resource_calls.client(managed), managed.spec)
        except RetryLater:
            on_accepted()
            raise
        except UnsupportedOperation as error:
            if not self._unsupported.try_skip(managed, "delete", error):
                raise
        except ClientError as error:
            if self._unsupported.try_skip(managed, "delete", error):
                return
            may_be_gone = code_of(error) in managed.type.not_found_codes or is_permanent_refusal(managed, error)
            if not may_be_gone or not is_gone(self._clients, managed, error):
                raise
            if self._may_be_hidden(managed, start):
                raise RetryLater("it is so new that AWS may not show it yet") from error

    def _may_be_hidden(self, managed: ManagedResource, start: float) -> bool:
        """Return whether reads may miss the resource only because it is new."""
        resource_state = self._state_manager.get(managed.spec.logical_id)
        # The time since this delete began counts too: a creation time by a fast clock would never be old.
        if not resource_state or self._clock.now() - start >= self._clients.aws.consistency_window(CONSISTENCY_SECONDS):
            return False
        return consistency_seconds_left(self._clients, resource_state.created_at) > 0
