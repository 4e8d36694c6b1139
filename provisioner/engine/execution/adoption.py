"""Adoption: write the state of a resource that exists already, or bring it up to date."""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.execution.actual_states import ActualStates
from provisioner.engine.execution.consistency import RecentResources
from provisioner.engine.execution.cooldown import last_change
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.planner import AWS_IS_WORKING
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.names import user_tags
from state.manager import StateManager
from state.stack_state import ResourceState


def find_existing(
    executor: ResourceExecutor, actual_states: ActualStates, managed: ManagedResource
) -> JsonObject | None:
    """Return the existing resource, perhaps somebody else's, that the type may use; None where there is none.

    It is read now because the plan could not look for it; the run remembers its actual state.
    """
    actual = executor.read(managed) if managed.type.uses_existing else None
    if actual is not None:
        actual_states.record(managed.with_id(managed.type.id_of(actual)), actual)
    return actual


def adopt(
    executor: ResourceExecutor, managed: ManagedResource, change: Change, resource_state: ResourceState | None
) -> None:
    """Adopt an existing resource into the state, or record what is desired of a known one.

    An entry with another id is deposed first. The desired properties in the state may be those of an
    interrupted run that wanted something else: the ones of this run replace them.
    """
    if resource_state is None or resource_state.id != change.id:
        _record_found(executor, managed, change, resource_state)
    elif change.action == "keep" or (change.action == "finish" and is_compared(managed, change)):
        _record_desired(executor.state_manager, managed, resource_state)
    if resource_state:
        _note_recent(executor.resource_calls.recent, managed, resource_state)


def _record_found(
    executor: ResourceExecutor, managed: ManagedResource, change: Change, resource_state: ResourceState | None
) -> None:
    """Record an existing resource that the state does not know by this id, and depose the one that it knows."""
    state_manager, logical_id = executor.state_manager, managed.spec.logical_id
    if resource_state and resource_state.id:
        state_manager.depose(logical_id, f"{logical_id}~{resource_state.id}")
    adopted = ResourceState(
        str(managed.type),
        managed.spec.aws_name,
        managed.step,
        managed.region,
        "finishing",
        change.id,
        to_recorded(managed.spec.props, state_manager.salt),
        depends_on=list(managed.depends_on),
        # It counts as new wherever AWS may hide new resources. We changed nothing, so no cooldown starts.
        created_at=executor.clock.wall(),
        changed_at=last_change(managed.type, resource_state) if change.action == "keep" else 0.0,
        tags=user_tags(managed.spec.tags),
    )
    state_manager.record_adopted(logical_id, adopted)
    executor.resource_calls.recent.add(managed)


def _record_desired(state_manager: StateManager, managed: ManagedResource, resource_state: ResourceState) -> None:
    """Record what is desired of a known resource, and that it is ready."""
    updated = replace(
        resource_state,
        desired=to_recorded(managed.spec.props, state_manager.salt),
        depends_on=list(managed.depends_on),
        tags=user_tags(managed.spec.tags),
    )
    if updated != resource_state or resource_state.phase != "ready":
        state_manager.record_adopted(managed.spec.logical_id, updated)


def _note_recent(recent: RecentResources, managed: ManagedResource, resource_state: ResourceState) -> None:
    """Note a resource that other services may not know yet: it is recent, or an earlier run did not finish it."""
    if recent.is_recent(resource_state.created_at):
        recent.add(managed, resource_state.created_at)
    elif resource_state.phase != "ready":
        recent.add(managed)


def record_delete_options(state_manager: StateManager, resource: Resource) -> None:
    """Record how a resource is declared to be deleted, as with a last snapshot: AWS never tells it."""
    resource_state = state_manager.get(resource.logical_id)
    if resource_state and resource_state.id:
        delete_options = resource.type.delete_options(resource_state.desired, resource.props)
        desired = resource_state.desired | to_recorded(delete_options, state_manager.salt)
        state_manager.record_adopted(resource.logical_id, replace(resource_state, desired=desired))


def is_compared(managed: ManagedResource, change: Change) -> bool:
    """Return whether a resource that is to be finished was compared with its desired properties.

    It was not if AWS still works on it and its type is `immutable_until_ready`: AWS may not return all of it yet.
    """
    return not (managed.type.immutable_until_ready and change.reason == AWS_IS_WORKING)
