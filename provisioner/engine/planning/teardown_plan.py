"""What a teardown would do: which resources go, each after those that need it, and what is lost with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from provisioner.engine.estimates.critical_path import DeleteStage, delete_graph, dependents_of
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.plan import Plan, ResourceTypes, managed_resource_of
from provisioner.engine.resource_graph.references import JsonObject, redact
from provisioner.engine.types.resource_type import ResourceType


@dataclass(frozen=True)
class PlannedDeletion:
    """One resource that a teardown deletes, and what is lost with it, in words."""

    logical_id: str = field(metadata={"json": "node"})
    step: str = field(metadata={"json": "piece"})
    type_name: str = field(metadata={"json": "kind"})
    aws_name: str = field(metadata={"json": "name"})
    id: str
    region: str
    data_loss: str = field(default="", metadata={"json": "loses"})
    # Why it is retained; "" where it is deleted.
    retention_reason: str = field(default="", metadata={"json": "stays"})


@dataclass(frozen=True)
class TeardownPlan:
    """A teardown in waves: the resources of one wave wait for resources of the wave before."""

    waves: tuple[tuple[PlannedDeletion, ...], ...]
    # The stages that each stage of a deletion waits for.
    order: Mapping[DeleteStage, Collection[DeleteStage]]
    # All resources that are deleted, in the order of their declaration.
    in_order: tuple[PlannedDeletion, ...] = ()

    @property
    def deletions(self) -> list[PlannedDeletion]:
        """All resources that are deleted, the first to go first."""
        return [deletion for wave in self.waves for deletion in wave]


def plan_teardown(plan: Plan, names: Collection[str], resource_types: ResourceTypes) -> TeardownPlan:
    """Plan the deletion of the named resources, from the state and the plan's reads; make no call."""
    depends_on = {name: [need for need in _dependencies(plan, name) if need in names] for name in names}
    type_names = {name: _type_name(plan, name) for name in names}

    def is_deleted_alongside(name: str, dependent: str) -> bool:
        return type_names[dependent] in resource_types[type_names[name]].deleted_alongside

    deletions = {name: _planned_deletion(plan, name, resource_types) for name in names}
    waves = tuple(tuple(deletions[name] for name in wave) for wave in _waves(dependents_of(depends_on)))
    return TeardownPlan(waves, delete_graph(depends_on, is_deleted_alongside), tuple(deletions.values()))


def _waves(dependents: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    """Yield the names in waves, in declared order: each name comes after all that depend on it."""
    positions = {name: position for position, name in enumerate(dependents)}
    sorter: TopologicalSorter[str] = TopologicalSorter(dependents)
    sorter.prepare()
    while sorter.is_active():
        wave = sorter.get_ready()
        yield sorted(wave, key=positions.__getitem__)
        sorter.done(*wave)


def _type_name(plan: Plan, name: str) -> str:
    resource_state = plan.state.resources.get(name)
    return resource_state.type_name if resource_state else str(plan.stack.resources[name].type)


def _dependencies(plan: Plan, name: str) -> list[str]:
    resource_state = plan.state.resources.get(name)
    return resource_state.depends_on if resource_state else plan.stack.resources[name].depends_on


def _planned_deletion(plan: Plan, name: str, resource_types: ResourceTypes) -> PlannedDeletion:
    """Return the deletion of one resource, from its state where it is recorded, else from the plan's reads."""
    resource_state, resource = plan.state.resources.get(name), plan.stack.resources.get(name)
    declared: JsonObject = resource.props if resource else {}
    if resource_state:
        resource_type = resource_types[resource_state.type_name]
        props = redact({**resource_state.desired, **resource_type.delete_options(resource_state.desired, declared)})
        deletion = PlannedDeletion(
            name,
            resource_state.step,
            resource_state.type_name,
            resource_state.aws_name,
            resource_state.id,
            resource_state.region,
        )
    else:
        change, resource_type, props = plan.changes[name], plan.stack.resources[name].type, redact(declared)
        region = plan.stack.resources[name].region
        deletion = PlannedDeletion(name, change.step, change.type_name, change.aws_name, change.id, region)
    retention_reason = resource_type.declared_retention_reason(props)
    return replace(deletion, data_loss=resource_type.data_loss(props), retention_reason=retention_reason)


def deletion_candidates(plan: Plan, resource_types: ResourceTypes) -> dict[str, ManagedResource]:
    """Return the resources that a teardown would delete, by name.

    These are the resources of the state that exist or are no longer declared, and the existing resources of
    the stack that the state does not know. Account-wide resources are left out.
    """
    managed_resources = {
        name: recorded_resource(plan.state, name, resource_types)
        for name, resource_state in plan.state.resources.items()
        if resource_state.id and (name in plan.actual or name not in plan.stack.resources)
    }
    for name in plan.found - plan.state.resources.keys():
        resource = plan.stack.resources[name]
        managed = managed_resource_of(resource, plan.stack.suffix, None, plan.resolved_properties(resource))
        managed_resources[name] = managed.with_id(plan.changes[name].id)
    return {name: managed for name, managed in managed_resources.items() if not managed.type.account_wide}


def overrides_method(resource_type: ResourceType, action: str) -> bool:
    """Return whether a resource type overrides an action of the base class."""
    return getattr(type(resource_type), action) is not getattr(ResourceType, action)
