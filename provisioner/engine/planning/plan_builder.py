"""Plan making: every declared resource is read and its change decided; neither AWS nor the state is changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.cooldown import with_cooldown
from provisioner.engine.execution.managed_resource import (
    ManagedResource,
    consistency_seconds_left,
    is_unsupported,
    read_recorded,
    unmanaged_in,
    with_status_reads,
)
from provisioner.engine.execution.scheduler import run_in_parallel
from provisioner.engine.execution.unsupported import describe_unsupported
from provisioner.engine.planning.change import (
    Change,
    delete_change,
    note_unused_secret_inputs,
    require_secret_inputs,
    with_unmanaged,
)
from provisioner.engine.planning.conflicts import find_conflicts, recorded_state_of
from provisioner.engine.planning.plan import Plan, ResourceTypes, managed_resource_of
from provisioner.engine.planning.planner import decide_change, is_restorable
from provisioner.engine.planning.siblings import find_sibling_states, may_have_siblings
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import JsonObject, is_known, refs_in
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChild
from state.findings import NO_FINDINGS, StateFindings, with_findings
from state.stack_state import ResourceState, StackState

log = logging.getLogger(__name__)

# Parallel reads: they mostly wait for AWS's replies, but AWS limits the calls per second.
READERS = 8


def make_plan(
    stack: Stack,
    state: StackState,
    clients: Clients,
    resource_types: ResourceTypes,
    findings: StateFindings = NO_FINDINGS,
    *,
    children: bool = True,
) -> Plan:
    """Read all resources in parallel and decide the change of each; make no mutating call.

    Args:
        stack: The declared resources.
        state: What is recorded of them. It is left as it is: what it has to record is in the plan's findings.
        clients: The clients; the plan's reads are shared.
        resource_types: The resource types by name.
        findings: What is known already and `state` does not record yet.
        children: Whether unmanaged children are looked for.

    """
    plan = Plan(stack, with_findings(state, findings), findings=findings)
    builder = _PlanBuilder(plan, clients.with_shared_reads(), resource_types)
    builder.plan_resources()
    builder.complete_state()
    if children:
        builder.plan_unmanaged_removals()
    builder.plan_deletions()
    return plan


@dataclass
class _PlanBuilder:
    """Fills in one plan, step by step; eight threads read resources, each for another resource."""

    plan: Plan
    clients: Clients
    resource_types: ResourceTypes
    # By resource, the keys of the state that change because of it, as (from, to).
    renamed: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    # The resources that AWS does not have: parts of them are not read.
    missing: set[str] = field(default_factory=set)

    def plan_resources(self) -> None:
        """Read each declared resource after those it depends on, and decide its change."""
        plan = self.plan
        depends_on = {resource.logical_id: set(resource.depends_on) for resource in plan.stack}
        run_in_parallel(depends_on, lambda name: self._plan_resource(plan.stack.resources[name]), workers=READERS)
        # In the order of the declaration, not in the order of AWS's replies.
        plan.changes = {name: plan.changes[name] for name in plan.stack.resources}
        plan.actual = {name: plan.actual[name] for name in plan.stack.resources if name in plan.actual}
        plan.notes += describe_unsupported(plan.unsupported)

    def complete_state(self) -> None:
        """Look for the siblings of unrecorded resources, and add all findings to the plan and to its state."""
        plan, state = self.plan, self.plan.state
        renamed = tuple(keys for name in plan.stack.resources for keys in self.renamed[name])
        unrecorded = [
            (resource, self._found_spec(resource))
            for resource in plan.stack
            if resource.logical_id not in state.resources and may_have_siblings(resource)
        ]
        siblings = find_sibling_states(state, self.clients, unrecorded)
        plan.findings = replace(plan.findings, renamed=renamed, siblings=siblings)
        plan.state = with_findings(state, StateFindings(renamed=renamed, siblings=siblings))

    def plan_unmanaged_removals(self) -> None:
        """Plan the removal of unmanaged children from the resources that own all of theirs."""
        plan = self.plan
        owners = [
            name
            for name in plan.actual
            if plan.stack.resources[name].type.owns_children and not plan.changes[name].foreign
        ]
        children = known_children(plan, self.clients, self.resource_types)
        run_in_parallel(
            {name: set() for name in owners}, lambda name: self._plan_unmanaged_removal(name, children), workers=READERS
        )

    def plan_deletions(self) -> None:
        """Plan the deletion of recorded resources that are no longer declared.

        Those that hold what a new resource needs, such as a port, are deleted first.
        """
        plan, deletions = self.plan, self._undeclared_states()
        new = [resource for resource in plan.stack if plan.changes[resource.logical_id].action in ("create", "replace")]
        plan.delete_before, plan.delete_first = find_conflicts(new, plan.resolved_properties, deletions)
        successors = {key: logical_id for logical_id, keys in plan.delete_before.items() for key in keys}
        early = {}
        for key in TopologicalSorter(plan.delete_first).static_order():
            place_taken = f"; {successors[key]} takes its place" if key in successors else ""
            early[key] = self._delete_change(key, deletions[key], f"no longer declared{place_taken}")
        late = {
            key: self._delete_change(key, resource_state, "no longer declared")
            for key, resource_state in deletions.items()
            if key not in plan.delete_first
        }
        plan.changes = early | plan.changes | late

    def _plan_resource(self, resource: Resource) -> None:
        """Read one declared resource and decide its change."""
        plan, name = self.plan, resource.logical_id
        desired = plan.desired_properties(resource, self.clients)
        recorded = recorded_state_of(plan.state, resource, desired)
        self.renamed[name] = recorded.renamed
        other_ids = plan.state.ids_of_others(recorded.key, str(resource.type), resource.region)
        managed = managed_resource_of(resource, plan.stack.suffix, recorded.resource_state, desired, other_ids)
        actual = self._read(resource, managed, recorded.resource_state)
        change = self._decide(resource, recorded.resource_state, actual, desired)
        plan.changes[name] = change
        if actual is not None and change.action != "create":
            plan.actual[name] = {**actual, "id": resource.type.id_of(actual)}

    def _read(
        self, resource: Resource, managed: ManagedResource, resource_state: ResourceState | None
    ) -> JsonObject | None:
        """Return the actual properties; None if it, or what contains it, does not exist or is not known yet."""
        if not is_known({key: managed.spec.props.get(key) for key in resource.type.lookup_properties}):
            return None
        container = refs_in(resource.props.get(resource.type.container_property))
        if self.missing.intersection(ref.logical_id for ref in container):
            return None
        with user_errors(f"looking at {resource.aws_name or resource.logical_id}"):
            actual = read_recorded(self.clients, managed, resource_state)
            if actual is not None and resource.type.plans_with_status_reads:
                created_at = resource_state.created_at if resource_state else 0.0
                actual = with_status_reads(self.clients, managed, actual, created_at)
            if is_unsupported(self.clients, managed):
                self.plan.unsupported.append(resource.logical_id)
            elif actual is None:
                self.missing.add(resource.logical_id)
        return actual

    def _decide(
        self,
        resource: Resource,
        resource_state: ResourceState | None,
        actual: JsonObject | None,
        desired: JsonObject,
    ) -> Change:
        """Decide the change of one resource, by its own state and by what becomes of its parents."""
        change = decide_change(resource, resource_state, actual, desired)
        log.debug("%s %s: %s", change.action, resource.logical_id, change.reason or "no reason needed")
        if change.action == "create":
            change = self._complete_creation(resource, actual, change)
        if actual is None:
            return change
        wall, speed = self.clients.clock.wall(), self.clients.aws.speed
        change = with_cooldown(change, resource.type, resource_state, (actual, desired), wall, speed)
        for parent in _parents_of(resource):
            if self.plan.changes[parent].foreign:
                reason, remedy = "part of what is somebody else's", self.plan.changes[parent].remedy
                return replace(change, action="refuse", reason=reason, foreign=True, adopts=False, remedy=remedy)
        return change

    def _complete_creation(self, resource: Resource, actual: JsonObject | None, change: Change) -> Change:
        """Return a create that asks for what a person must supply; remember the resource if it is restored."""
        if actual is not None and is_restorable(resource, actual):
            self.plan.restorable[resource.logical_id] = {**actual, "id": resource.type.id_of(actual)}
            return note_unused_secret_inputs(resource, change)
        if change.reason and (parent := self._recreated_parent(resource)):
            change = replace(change, reason=f"it goes with {parent}, which is created again")
        return require_secret_inputs(resource, change)

    def _recreated_parent(self, resource: Resource) -> str:
        """Return the first resource that contains this one and will be created or replaced; else ""."""
        changes = self.plan.changes
        return next((name for name in _parents_of(resource) if changes[name].action in ("create", "replace")), "")

    def _found_spec(self, resource: Resource) -> ResourceSpec:
        """Return a declared resource with the id that AWS returned, as if the state did not know it."""
        plan, desired = self.plan, self.plan.resolved_properties(resource)
        managed = managed_resource_of(resource, plan.stack.suffix, None, desired)
        return managed.with_id(plan.changes[resource.logical_id].id).spec

    def _plan_unmanaged_removal(self, name: str, known: list[KnownChild]) -> None:
        """Plan the removal of the unmanaged children of one resource."""
        plan, resource, change = self.plan, self.plan.stack.resources[name], self.plan.changes[name]
        desired = plan.resolved_properties(resource)
        managed = managed_resource_of(resource, plan.stack.suffix, plan.state.resources.get(name), desired)
        children = unmanaged_in(self.clients, managed.with_id(change.id), plan.actual[name], known)
        plan.changes[name] = with_unmanaged(change, tuple(child for child in children if not child.kept_reason))

    def _undeclared_states(self) -> dict[str, ResourceState]:
        """Return the states, by key, of the resources to delete: no longer declared, and not kept on purpose."""
        kept_types = {
            name
            for name, resource_type in self.resource_types.items()
            if resource_type.account_wide or resource_type.retained
        }
        return {
            key: resource_state
            for key, resource_state in self.plan.state.resources.items()
            if key not in self.plan.stack.resources and resource_state.type_name not in kept_types
        }

    def _delete_change(self, key: str, resource_state: ResourceState, reason: str) -> Change:
        return delete_change(key, resource_state, self.resource_types[resource_state.type_name], reason)


def known_children(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> list[KnownChild]:
    """Return all known children: declared, actual, recorded, and deleted ones that AWS may still show.

    A resource in the state is known by its id, whether it is still declared or not.
    """
    children = []
    for resource in plan.stack:
        type_name = str(resource.type)
        children.append(KnownChild(type_name, plan.resolved_properties(resource)))
        children.append(KnownChild(type_name, plan.actual.get(resource.logical_id, {})))
    for resource_state in plan.state.resources.values():
        id_properties = _id_properties(resource_types[resource_state.type_name], resource_state)
        children.append(KnownChild(resource_state.type_name, {**resource_state.desired, **id_properties}))
        children.append(KnownChild(resource_state.type_name, resource_state.recorded or {}))
    return children + [
        KnownChild(tombstone.type_name, tombstone.desired)
        for tombstone in plan.state.tombstones
        if consistency_seconds_left(clients, tombstone.deleted_at)
    ]


def _id_properties(resource_type: ResourceType, resource_state: ResourceState) -> JsonObject:
    """Return the id of a resource state as the properties that hold it in the result of `read`."""
    paths = (resource_type.id_paths,) if isinstance(resource_type.id_paths, str) else resource_type.id_paths
    values = [resource_state.id] if len(paths) == 1 else resource_state.id.split("|")
    return {path: value for path, value in zip(paths, values, strict=False) if value and "." not in path}


def _parents_of(resource: Resource) -> Iterable[str]:
    """Return the resources that contain this one."""
    return [ref.logical_id for key in resource.type.lookup_properties for ref in refs_in(resource.props.get(key))]
