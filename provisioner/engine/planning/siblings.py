"""Recovery of replaced resources that a lost state knew beside the declared ones.

A replacement that was interrupted leaves two resources with the same tags; their own run had recorded both.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.resource_graph.sensitive import to_recorded
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.names import user_tags
from state.stack_state import ResourceState, StackState


def may_have_siblings(resource: Resource) -> bool:
    """Return whether two resources of this declaration may exist at once and differ only in their names."""
    return type(resource.type).find_siblings is not ResourceType.find_siblings


def find_sibling_states(
    state: StackState, clients: Clients, unrecorded: Iterable[tuple[Resource, ResourceSpec]]
) -> dict[str, ResourceState]:
    """Return the further resources of unrecorded ones, by the keys that deposed resources have.

    So the run that replaced them had recorded them. `unrecorded` holds the declared resources that the state does
    not record, as they were found.
    """
    siblings: dict[str, ResourceState] = {}
    for resource, spec in unrecorded:
        client = clients.client(resource.type.service, resource.region)
        with user_errors(f"looking for others of {resource.aws_name or resource.logical_id}"):
            found = resource.type.find_siblings(client, spec)
        recorded_ids = {resource_state.id for resource_state in (*state.resources.values(), *siblings.values())}
        for actual in found:
            id_ = resource.type.id_of(actual)
            if id_ not in recorded_ids:
                siblings[f"{resource.logical_id}~{id_}"] = _sibling_state(resource, actual, id_, state.salt)
    return siblings


def _sibling_state(resource: Resource, actual: JsonObject, id_: str, salt: str) -> ResourceState:
    properties = to_recorded({key: actual[key] for key in resource.props if key in actual}, salt)
    return ResourceState(
        type_name=str(resource.type),
        aws_name=str(actual.get(resource.type.name_property, resource.aws_name)),
        step=resource.step,
        region=resource.region,
        phase="ready",
        id=id_,
        desired=properties,
        recorded=properties,
        depends_on=resource.depends_on,
        tags=user_tags(resource.tags),
    )
