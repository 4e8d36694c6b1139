"""The first phase of a cutover (JOIN), and which resources go on with the later phases."""

from __future__ import annotations

from provisioner.engine.act import ResourceExecutor
from provisioner.engine.aside import deposed_ids, followers, serving_ids, stand_ins
from provisioner.engine.beats import CutoverPhase
from provisioner.engine.decide import Change, decide_change, with_unmanaged
from provisioner.engine.graph import Resource
from provisioner.engine.known import ActualStates
from provisioner.engine.plan import Plan
from provisioner.engine.refs import JsonObject
from provisioner.engine.resource_type import ResourceType
from provisioner.engine.target import ManagedResource
from state.stack_state import ResourceState


class Cutover:
    """The first phase of a cutover, run by each resource; `between` lists the resources of later phases."""

    def __init__(self, plan: Plan, executor: ResourceExecutor, actual_states: ActualStates) -> None:
        self.plan = plan
        self.hands = executor
        self.known = actual_states
        self._before = frozenset(serving_ids(plan, {}))
        # The resources that refer to both the old and the new one; and those whose traffic another owner
        # routes, as that owner may route it elsewhere before this run ends.
        self.between = list(followers(plan))

    def serving(self) -> frozenset[str]:
        """Return the ids that get traffic now."""
        return frozenset(serving_ids(self.plan, self.known.docs))

    def initial(self, managed: ManagedResource) -> ManagedResource:
        """Return a resource to be created, with its initial properties.

        A new rule to a target group without traffic takes no requests from the groups that serve. A resource
        whose initial properties are not its final ones goes on in the later phases.
        """
        first = self._at_first(managed.type, managed.spec.props)
        led_by_others = stand_ins(self.plan, self.known.docs).keys()
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
        return resource_type.initial_properties(desired, self._before, stand_ins(self.plan, self.known.docs) | olds)
