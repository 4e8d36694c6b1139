"""Create before destroy: the replaced resource is deposed, and deleted after everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from provisioner.engine.execution.adoption import adopt
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.conflicts import are_in_conflict
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.coverage import covers
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState


def depose_or_delete(
    executor: ResourceExecutor, resource: Resource, old: ManagedResource, resource_state: ResourceState | None
) -> None:
    """Depose the old resource, or delete it first where AWS allows only one of the two.

    Nothing is done for a type whose old resources are kept beside the new one.
    """
    if resource.type.retained_for:
        return
    if resource_state is None:
        adopt(executor, old, Change("keep", resource.logical_id, "", "", "", id=old.spec.id), None)
        resource_state = executor.state_manager.get(resource.logical_id)
    elif not resource_state.id:
        # The run that created it ended before it learned the id.
        executor.state_manager.record_id(resource.logical_id, old.spec.id)
    if resource_state and are_in_conflict(resource.type, old.spec.props, resource_state.desired):
        executor.delete(old)
    else:
        executor.state_manager.depose(resource.logical_id, f"{resource.logical_id}~{old.spec.id}")


def depose_moved(
    executor: ResourceExecutor, resource: Resource, resource_state: ResourceState | None, desired: JsonObject
) -> None:
    """Depose a recorded resource that lies in another parent, or has another name, than is desired now.

    The plan looked only at the desired place, and so did not find it.
    """
    if resource_state is None or not resource_state.id or resource.type.deleted_with_parent:
        return
    if any(
        resource_state.desired.get(key) != desired.get(key)
        for key in (*resource.type.lookup_properties, resource.type.name_property)
    ):
        executor.state_manager.depose(resource.logical_id, f"{resource.logical_id}~{resource_state.id}")


def relax_deposed(
    executor: ResourceExecutor, resource_types: ResourceTypes, resource: Resource, desired: JsonObject
) -> None:
    """Relax each deposed resource, so that it accepts what is created for its replacement (`deposed_properties`).

    For example, an old target group then counts new tasks as healthy although they lack its health check path.
    """
    for name, resource_state in list(executor.state_manager):
        if not name.startswith(f"{resource.logical_id}~") or not resource_state.id:
            continue
        relaxed = resource.type.deposed_properties(resource_state.desired, desired)
        if not relaxed:
            continue
        managed = recorded_resource(executor.state_manager.state, name, resource_types)
        actual = executor.read(managed)
        if actual is None or covers(actual, relaxed):
            continue
        fields = tuple(Difference(key, actual.get(key), value) for key, value in relaxed.items())
        change = Change(
            "update",
            name,
            resource_state.type_name,
            resource_state.aws_name,
            resource_state.step,
            resource_state.id,
            fields,
        )
        executor.update(managed.with_props({**resource_state.desired, **relaxed}), change)
        executor.state_manager.record_ready(name)


def deposed_ids(executor: ResourceExecutor, actual: Mapping[str, JsonObject], serving: Set[str]) -> dict[str, str]:
    """Map the id of each replacement to the id of the resource it replaces, where that one gets traffic."""
    deposed = (
        (name.split("~", 1), resource_state.id) for name, resource_state in list(executor.state_manager) if "~" in name
    )
    return {
        actual[logical_id]["id"]: old for (logical_id, _), old in deposed if old in serving and logical_id in actual
    }


def serving_ids(plan: Plan, actual: Mapping[str, JsonObject]) -> Iterator[str]:
    """Yield the ids that get traffic now, from all resources that route traffic, selected or not."""
    for resource_type, properties in _existing_resources(plan, actual):
        yield from resource_type.routes_to(properties)


def replacement_targets(plan: Plan, actual: Mapping[str, JsonObject]) -> dict[str, str]:
    """Map each declared id whose traffic another owner, such as ECS, has moved to the id that gets it now."""
    return {
        own: other
        for resource_type, properties in _existing_resources(plan, actual)
        for own, other in resource_type.replacement_targets(properties).items()
    }


def replacement_followers(plan: Plan) -> Iterator[str]:
    """Yield the names of the selected resources that route to a stand-in of another resource now."""
    stand_ins = set(replacement_targets(plan, {}).values())
    for resource in plan.stack if stand_ins else ():
        if not stand_ins.isdisjoint(resource.type.routes_to(plan.actual.get(resource.logical_id, {}))):
            yield resource.logical_id


def _existing_resources(plan: Plan, actual: Mapping[str, JsonObject]) -> Iterator[tuple[ResourceType, JsonObject]]:
    """Yield the type and the actual properties of each existing resource of the stack, selected or not."""
    whole = plan.unfiltered or plan
    for resource in whole.stack:
        if properties := actual.get(resource.logical_id) or whole.actual.get(resource.logical_id):
            yield resource.type, properties
