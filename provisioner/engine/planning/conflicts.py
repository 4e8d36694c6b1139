"""Uniqueness conflicts: what only one resource may hold at a time, and what is deleted first to free it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from provisioner.engine.estimates.critical_path import dependents_of
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, is_known
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState, StackState

# By name, the keys in the state that are deleted before it.
DeletionOrder = dict[str, set[str]]


def are_in_conflict(resource_type: ResourceType, props: JsonObject, other_props: JsonObject) -> bool:
    """Return whether AWS holds only one of two resources of a type at a time, given their properties.

    They are in conflict if all their unique properties (by default the name) are equal or, as CIDRs, overlap.
    """
    name_keys = (resource_type.name_property,) if resource_type.name_property else ()
    keys = name_keys if resource_type.unique_properties is None else resource_type.unique_properties
    is_stated = any(props.get(key) is not None for key in keys)
    return is_stated and all(
        _is_value_in_conflict(resource_type, key, props.get(key), other_props.get(key)) for key in keys
    )


def _is_value_in_conflict(resource_type: ResourceType, key: str, value: Any, other: Any) -> bool:
    if key in resource_type.cidr_properties and isinstance(value, str) and isinstance(other, str):
        return ip_network(value).overlaps(ip_network(other))
    return bool(value == other)


@dataclass(frozen=True)
class RecordedState:
    """What the state records of a declared resource.

    `key` is the key under which it is recorded, "" if it is not. `renamed` lists the keys that change, as (from, to):
    where another resource is recorded under the logical id, that one is deposed.
    """

    key: str = ""
    resource_state: ResourceState | None = None
    renamed: tuple[tuple[str, str], ...] = ()


def recorded_state_of(state: StackState, resource: Resource, desired: JsonObject) -> RecordedState:
    """Find what the state records of a declared resource; the state itself is left as it is.

    A deposed resource whose unique properties are desired again takes its place back. A resource that lies in
    another parent than the desired one is deposed: only the desired parent can be searched.
    """
    logical_id = resource.logical_id
    current = state.resources.get(logical_id)
    if current and are_in_conflict(resource.type, desired, current.desired):
        return RecordedState(logical_id, current)
    exists = current is not None and bool(current.id or current.intent)
    renamed = ((logical_id, f"{logical_id}~{current.id or _substitute_id(current)}"),) if current and exists else ()
    for key, deposed in state.resources.items():
        if key.startswith(f"{logical_id}~") and are_in_conflict(resource.type, desired, deposed.desired):
            return RecordedState(key, deposed, (*renamed, (key, logical_id)))
    if current and exists and _has_moved(resource.type, desired, current.desired):
        return RecordedState(renamed=renamed)
    return RecordedState(logical_id, current) if current else RecordedState()


def _has_moved(resource_type: ResourceType, desired: JsonObject, recorded: JsonObject) -> bool:
    """Return whether a resource that is unique in its parent is now desired in another parent."""
    parent_keys = resource_type.lookup_properties
    is_unique_in_parent = (
        bool(parent_keys)
        and not resource_type.deleted_with_parent
        and set(parent_keys) <= set(resource_type.unique_properties or ())
    )
    return is_unique_in_parent and any(
        is_known(desired.get(key)) and desired.get(key) != recorded.get(key) for key in parent_keys
    )


def _substitute_id(resource_state: ResourceState) -> str:
    """Return a substitute for the unknown id of a resource that a killed run may have created."""
    return f"?{resource_state.intent.token}" if resource_state.intent else ""


def find_conflicts(
    new: Iterable[Resource], desired_of: Callable[[Resource], JsonObject], deletions: Mapping[str, ResourceState]
) -> tuple[DeletionOrder, DeletionOrder]:
    """Return which resources must be deleted before new ones can be created.

    Args:
        new: The declared resources that are to be created or replaced.
        desired_of: Returns the desired properties of one of them.
        deletions: The states, by key, of the resources that are to be deleted.

    Returns:
        Two mappings: from each new resource to the keys in `deletions` that conflict with it, and from each key
        that is to be deleted early to the keys that depend on it, and so are deleted before it.

    """
    delete_before: DeletionOrder = {}
    for resource in new:
        desired = desired_of(resource)
        for key, resource_state in deletions.items():
            is_same_type = (resource_state.type_name, resource_state.region) == (str(resource.type), resource.region)
            if is_same_type and are_in_conflict(resource.type, desired, resource_state.desired):
                delete_before.setdefault(resource.logical_id, set()).add(key)
    dependents = dependents_of({key: resource_state.depends_on for key, resource_state in deletions.items()})
    delete_first: DeletionOrder = {}
    waiting = [key for keys in delete_before.values() for key in keys]
    while waiting:
        key = waiting.pop()
        if key not in delete_first:
            delete_first[key] = dependents[key]
            waiting += dependents[key]
    return delete_before, delete_first
