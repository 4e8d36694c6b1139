"""The cutover: traffic moves from replaced resources to the new ones, phase by phase."""

from __future__ import annotations

from provisioner.engine.execution.actual_states import ActualStates
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.replacement import (
    deposed_ids,
    replacement_followers,
    replacement_targets,
    serving_ids,
)
from provisioner.engine.planning.change import Change, with_unmanaged
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import decide_change
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import CutoverPhase
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import ResourceState


class Cutover:
    """The first phase of a cutover, run by each resource; `later_phase_names` lists the resources of later phases."""

    def __init__(self, plan: Plan, executor: ResourceExecutor, actual_states: ActualStates) -> None:
        self.plan = plan
        self.executor = executor
        self.actual_states = actual_states
        self._serving_before = frozenset(serving_ids(plan, {}))
        # The resources that refer to both the old and the new one; and those whose traffic another owner
        # routes, as that owner may route it elsewhere before this run ends.
        self.later_phase_names = list(replacement_followers(plan))

    def serving(self) -> frozenset[str]:
        """Return the ids that get traffic now."""
        return frozenset(serving_ids(self.plan, self.actual_states.properties))

    def initial(self, managed: ManagedResource) -> ManagedResource:
        """Return a resource to be created, with its initial properties.

        A new rule to a target group without traffic takes no requests from the groups that serve. A resource
        whose initial properties are not its final ones goes on in the later phases.
        """
        initial = self._initial_properties(managed.type, managed.spec.props)
        routed_by_others = replacement_targets(self.plan, self.actual_states.properties).keys()
        if initial != managed.spec.props or not routed_by_others.isdisjoint(managed.type.routes_to(managed.spec.props)):
            self.later_phase_names.append(managed.spec.logical_id)
        return managed.with_props(initial)

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
            joined = self._initial_properties(resource.type, desired)
        if joined == desired:
            return desired, change
        self.later_phase_names.append(resource.logical_id)
        return joined, with_unmanaged(decide_change(resource, resource_state, actual, joined), change.unmanaged)

    def _initial_properties(self, resource_type: ResourceType, desired: JsonObject) -> JsonObject:
        """Return the properties at creation, given what got traffic before this run and what is replaced."""
        replaced_ids = deposed_ids(self.executor, self.actual_states.properties, self._serving_before)
        return resource_type.initial_properties(
            desired, self._serving_before, replacement_targets(self.plan, self.actual_states.properties) | replaced_ids
        )
