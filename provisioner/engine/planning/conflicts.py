"""Uniqueness conflicts: what only one resource may hold at a time, and what is deleted first to free it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from provisioner.engine.estimates.critical_path import dependents_of
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, is_known
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState, StackState

# By name, the names in the state that are deleted before it.
DeletionOrder = dict[str, set[str]]


def are_in_conflict(resource_type: ResourceType, one: JsonObject, other: JsonObject) -> bool:
    """Return whether two resources of a type conflict, so that AWS holds only one of them at a time.

    They do where each of their unique properties (`claims`; by default the name) is equal or, as a CIDR,
    overlaps.
    """
    named = (resource_type.name_property,) if resource_type.name_property else ()
    claims = named if resource_type.unique_properties is None else resource_type.unique_properties
    stated = any(one.get(key) is not None for key in claims)
    return stated and all(_is_value_in_conflict(resource_type, key, one.get(key), other.get(key)) for key in claims)


def _is_value_in_conflict(resource_type: ResourceType, key: str, one: Any, other: Any) -> bool:
    if key in resource_type.cidr_properties and isinstance(one, str) and isinstance(other, str):
        return ip_network(one).overlaps(ip_network(other))
    return bool(one == other)


def state_of_resource(state: StackState, resource: Resource, desired: JsonObject) -> ResourceState | None:
    """Find the state's entry of a declared resource; depose it, or bring a deposed one back, where needed.

    A deposed entry whose unique properties are desired again takes its place back. An entry that lies in
    another parent than the desired one is deposed, and None is returned: the resource can be looked for only
    in the desired parent.
    """
    resource_states, resource_state = state.resources, state.resources.get(resource.logical_id)
    if resource_state and are_in_conflict(resource.type, desired, resource_state.desired):
        return resource_state
    for name, old in resource_states.copy().items():
        if name.startswith(f"{resource.logical_id}~") and are_in_conflict(resource.type, desired, old.desired):
            if resource_state and (resource_state.id or resource_state.intent):
                state.rename(
                    resource.logical_id, f"{resource.logical_id}~{resource_state.id or _substitute_id(resource_state)}"
                )
            state.rename(name, resource.logical_id)
            return old
    if (
        resource_state
        and (resource_state.id or resource_state.intent)
        and _has_moved(resource.type, desired, resource_state.desired)
    ):
        state.rename(
            resource.logical_id, f"{resource.logical_id}~{resource_state.id or _substitute_id(resource_state)}"
        )
        return None
    return resource_state


def _has_moved(resource_type: ResourceType, desired: JsonObject, known: JsonObject) -> bool:
    """Return whether a resource that is unique in its parent is now desired in another parent."""
    claims_place = (
        bool(resource_type.lookup_properties)
        and not resource_type.deleted_with_parent
        and set(resource_type.lookup_properties) <= set(resource_type.unique_properties or ())
    )
    return claims_place and any(
        is_known(desired.get(key)) and desired.get(key) != known.get(key) for key in resource_type.lookup_properties
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
        deletions: The entries, by name, of the resources that are to be deleted.

    Returns:
        Two mappings: from each new resource to the names in `deletions` that conflict with it, and from each name
        that has to go early to the names that need it and so are deleted before it.

    """
    takes: DeletionOrder = {}
    for resource in new:
        desired = desired_of(resource)
        for name, resource_state in deletions.items():
            alike = (resource_state.type_name, resource_state.region) == (str(resource.type), resource.region)
            if alike and are_in_conflict(resource.type, desired, resource_state.desired):
                takes.setdefault(resource.logical_id, set()).add(name)
    first = dependents_of({name: resource_state.depends_on for name, resource_state in deletions.items()})
    early: DeletionOrder = {}
    ahead = [name for names in takes.values() for name in names]
    while ahead:
        name = ahead.pop()
        if name not in early:
            early[name] = first[name]
            ahead += first[name]
    return takes, early
