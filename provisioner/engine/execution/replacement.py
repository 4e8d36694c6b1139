"""Create before destroy: the deposed resource, and the cutover of traffic from it to its replacement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from provisioner.engine.execution.actual_states import ActualStates
from provisioner.engine.execution.adoption import adopt
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.teardown import target_in
from provisioner.engine.planning.conflicts import conflicts
from provisioner.engine.planning.coverage import covers
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.planner import Change, decide_change, with_unmanaged
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase
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
    if resource_state and conflicts(resource.type, old.spec.props, resource_state.desired):
        executor.delete(old)
    else:
        executor.state_manager.depose(resource.logical_id, f"{resource.logical_id}~{old.spec.id}")


def depose_moved(
    executor: ResourceExecutor, resource: Resource, resource_state: ResourceState | None, wanted: JsonObject
) -> None:
    """Depose an entry whose resource lies in another parent, or has another name, than is desired now.

    The plan looked only at the desired place, and so did not find it.
    """
    if resource_state is None or not resource_state.id or resource.type.deleted_with_parent:
        return
    if any(
        resource_state.desired.get(place) != wanted.get(place)
        for place in (*resource.type.lookup_properties, resource.type.name_property)
    ):
        executor.state_manager.depose(resource.logical_id, f"{resource.logical_id}~{resource_state.id}")


def relax_deposed(
    executor: ResourceExecutor, resource_types: ResourceTypes, resource: Resource, wanted: JsonObject
) -> None:
    """Relax each deposed resource, so that it accepts what is created for its replacement (`Kind.parting`).

    An old target group, for example, then takes new tasks for healthy that do not have its health check path.
    """
    for name, resource_state in list(executor.state_manager):
        eased = (
            resource.type.deposed_properties(resource_state.desired, wanted)
            if name.startswith(f"{resource.logical_id}~")
            else {}
        )
        if not eased or not resource_state.id:
            continue
        managed = target_in(executor.state_manager.state, name, resource_types)
        seen = executor.read(managed)
        if seen is None or covers(seen, eased):
            continue
        fields = tuple(Difference(key, seen.get(key), value) for key, value in eased.items())
        change = Change(
            "update",
            name,
            resource_state.type_name,
            resource_state.aws_name,
            resource_state.step,
            resource_state.id,
            fields,
        )
        executor.update(managed.with_props({**resource_state.desired, **eased}), change)
        executor.state_manager.record_ready(name)


def deposed_ids(executor: ResourceExecutor, actual: Mapping[str, JsonObject], led_to: Set[str]) -> dict[str, str]:
    """Map the id of each replacement to the id of the resource it replaces, where that one gets traffic."""
    aside = (
        (name.split("~", 1), resource_state.id) for name, resource_state in list(executor.state_manager) if "~" in name
    )
    return {actual[logical_id]["id"]: old for (logical_id, _), old in aside if old in led_to and logical_id in actual}


def serving_ids(plan: Plan, actual: Mapping[str, JsonObject]) -> Iterator[str]:
    """Yield the ids that get traffic now, from all resources that route traffic, selected or not."""
    for resource_type, doc in _standing(plan, actual):
        yield from resource_type.routes_to(doc)


def replacement_targets(plan: Plan, actual: Mapping[str, JsonObject]) -> dict[str, str]:
    """Map each declared id whose traffic another owner, such as ECS, has moved to the id that gets it now."""
    return {
        own: other
        for resource_type, doc in _standing(plan, actual)
        for own, other in resource_type.replacement_targets(doc).items()
    }


def replacement_followers(plan: Plan) -> Iterator[str]:
    """Yield the names of the selected resources that route to a stand-in of another resource now."""
    serve = set(replacement_targets(plan, {}).values())
    for resource in plan.stack if serve else ():
        if not serve.isdisjoint(resource.type.routes_to(plan.actual.get(resource.logical_id, {}))):
            yield resource.logical_id


def _standing(plan: Plan, actual: Mapping[str, JsonObject]) -> Iterator[tuple[ResourceType, JsonObject]]:
    # The type and actual state of each resource of the stack that exists, selected or not.
    whole = plan.unfiltered or plan
    for resource in whole.stack:
        if doc := actual.get(resource.logical_id) or whole.actual.get(resource.logical_id):
            yield resource.type, doc


class Cutover:
    """The first phase of a cutover, run by each resource; `between` lists the resources of later phases."""

    def __init__(self, plan: Plan, executor: ResourceExecutor, actual_states: ActualStates) -> None:
        self.plan = plan
        self.hands = executor
        self.known = actual_states
        self._before = frozenset(serving_ids(plan, {}))
        # The resources that refer to both the old and the new one; and those whose traffic another owner
        # routes, as that owner may route it elsewhere before this run ends.
        self.between = list(replacement_followers(plan))

    def serving(self) -> frozenset[str]:
        """Return the ids that get traffic now."""
        return frozenset(serving_ids(self.plan, self.known.docs))

    def initial(self, managed: ManagedResource) -> ManagedResource:
        """Return a resource to be created, with its initial properties.

        A new rule to a target group without traffic takes no requests from the groups that serve. A resource
        whose initial properties are not its final ones goes on in the later phases.
        """
        first = self._at_first(managed.type, managed.spec.props)
        led_by_others = replacement_targets(self.plan, self.known.docs).keys()
        if first != managed.spec.props or not led_by_others.isdisjoint(managed.type.routes_to(managed.spec.props)):
            self.between.append(managed.spec.logical_id)
        return managed.with_props(first)

    def join(
        self,
        resource: Resource,
        resource_state: ResourceState | None,
        actual: JsonObject,
        desired: JsonObject,
        change: Change,
    ) -> tuple[JsonObject, Change]:
        """Return the properties of an existing resource in the first phase, and the change to them.

        A resource that refers to a replaced one refers to both the old and the new one in this phase.
        """
        joined = resource.type.properties_at(CutoverPhase.JOIN, desired, actual, self.serving())
        if joined == desired and not list(resource.type.routes_to(actual)):
            joined = self._at_first(resource.type, desired)
        if joined == desired:
            return desired, change
        self.between.append(resource.logical_id)
        return joined, with_unmanaged(decide_change(resource, resource_state, actual, joined), change.unmanaged)

    def _at_first(self, resource_type: ResourceType, desired: JsonObject) -> JsonObject:
        # The properties at creation, by what gets traffic before this run, and what is replaced.
        olds = deposed_ids(self.hands, self.known.docs, self._before)
        return resource_type.initial_properties(
            desired, self._before, replacement_targets(self.plan, self.known.docs) | olds
        )
