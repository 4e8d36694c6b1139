"""The plan: every declared resource is read and its change decided; nothing is changed in AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Any

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
from provisioner.engine.execution.scheduler import DagExecutor, ReportStage
from provisioner.engine.execution.unsupported import describe_unsupported
from provisioner.engine.planning.change import Change, delete_change, with_unmanaged
from provisioner.engine.planning.conflicts import DeletionOrder, find_conflicts, state_of_resource
from provisioner.engine.planning.planner import decide_change, is_restorable
from provisioner.engine.planning.secret_inputs import require_secret_inputs, unused_secret_inputs
from provisioner.engine.planning.siblings import may_have_siblings, record_siblings
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import (
    JsonObject,
    Ref,
    Unknown,
    fingerprint_secrets,
    is_known,
    refs_in,
    resolve,
    value_at,
)
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChild
from state.stack_state import ResourceState, StackState

ResourceTypes = Mapping[str, ResourceType]
# Parallel reads: they mostly wait for AWS's replies, but AWS limits the calls per second.
READERS = 8


@dataclass
class Plan:
    """The change of each resource, and its actual properties, by logical id."""

    stack: Stack
    changes: dict[str, Change] = field(default_factory=dict)
    actual: dict[str, JsonObject] = field(default_factory=dict)
    # The actual properties of deleted resources that will be restored and keep their values.
    restorable: dict[str, JsonObject] = field(default_factory=dict)
    # Undeclared resources that are deleted first. `takes` maps a new resource to those whose place it takes;
    # `early` maps each of these to its dependents, which are deleted before it.
    delete_before: DeletionOrder = field(default_factory=dict)
    delete_first: DeletionOrder = field(default_factory=dict)
    # Notes that are shown with the plan.
    notes: list[str] = field(default_factory=list)
    # The resources that the emulator does not support.
    unsupported: list[str] = field(default_factory=list)
    # The plan of the whole stack, if this one was narrowed to a selection.
    unfiltered: Plan | None = None

    @property
    def excluded(self) -> set[str]:
        """The resources that are not selected, and so are left as they are."""
        return self.unfiltered.changes.keys() - self.changes.keys() if self.unfiltered else set()

    @property
    def changes_to_make(self) -> list[Change]:
        """The changes that do something: all but those with the action `keep`."""
        return [change for change in self.changes.values() if change.action != "keep"]

    @property
    def unchanged(self) -> set[str]:
        """The resources that are recorded and need no change."""
        return {name for name, one in self.changes.items() if one.action == "keep" and not one.adopts}

    @property
    def adopted(self) -> list[Change]:
        """The changes of resources that belong to the stack and exist, but are not in the state."""
        return [change for change in self.changes.values() if change.adopts]

    @property
    def found(self) -> set[str]:
        """The declared resources that exist and belong to the stack, without account-wide ones."""
        return {
            name
            for name in self.actual
            if not self.changes[name].foreign and not self.stack.resources[name].type.account_wide
        }

    @property
    def refused(self) -> list[Change]:
        """The changes that cannot be made, and so prevent all others."""
        return [change for change in self.changes.values() if change.action == "refuse"]

    @property
    def roles(self) -> set[str]:
        """The account's own roles among the resources: they belong to no stack and are counted separately."""
        return {
            resource.logical_id
            for resource in self.stack
            if resource.type.account_wide and resource.logical_id in self.changes
        }

    def count(self, *actions: str) -> int:
        """Return how many changes have one of these actions, without the account's own roles."""
        return sum(self.changes[name].action in actions for name in self.changes.keys() - self.roles)


def make_plan(
    stack: Stack, state: StackState, clients: Clients, resource_types: ResourceTypes, *, children: bool = True
) -> Plan:
    """Read all resources in parallel and decide the change of each; make no mutating call.

    If `children` is False, unmanaged children are not looked for.
    """
    plan = Plan(stack)
    shared = clients.with_shared_reads()
    unknown = [
        resource for resource in stack if resource.logical_id not in state.resources and may_have_siblings(resource)
    ]

    def begin(name: str) -> Any:
        def work(report_stage: ReportStage[str]) -> None:
            _plan_resource(plan, stack.resources[name], state, shared)
            report_stage(name)

        return work

    DagExecutor({resource.logical_id: set(resource.depends_on) for resource in stack}, begin, workers=READERS).run()
    plan.changes = {resource.logical_id: plan.changes[resource.logical_id] for resource in stack}
    plan.notes += describe_unsupported(plan.unsupported)
    plan.actual = {
        resource.logical_id: plan.actual[resource.logical_id]
        for resource in stack
        if resource.logical_id in plan.actual
    }
    record_siblings(state, shared, [(resource, _spec_without_state(plan, resource)) for resource in unknown])
    if children:
        _plan_unmanaged_removals(plan, state, shared, resource_types)
    deletions = {
        name: resource_state
        for name, resource_state in state.resources.items()
        if name not in stack.resources
        and not resource_types[resource_state.type_name].account_wide
        and not resource_types[resource_state.type_name].retained
    }
    _plan_early_deletions(plan, deletions, resource_types)
    plan.changes |= {
        name: delete_change(name, resource_state, resource_types[resource_state.type_name])
        for name, resource_state in deletions.items()
        if name not in plan.delete_first
    }
    return plan


def _spec_without_state(plan: Plan, resource: Resource) -> ResourceSpec:
    """Return a declared resource with the id that AWS returned, as if the state did not know it."""
    desired = resolve(resource.props, lambda ref: look_up(plan, ref))
    return (
        managed_resource_of(resource, plan.stack.suffix, None, desired)
        .with_id(plan.changes[resource.logical_id].id)
        .spec
    )


def _plan_early_deletions(plan: Plan, deletions: Mapping[str, ResourceState], resource_types: ResourceTypes) -> None:
    """Plan the deletions of undeclared resources that hold what a new resource needs, such as a port."""
    new = [resource for resource in plan.stack if plan.changes[resource.logical_id].action in ("create", "replace")]
    plan.delete_before, plan.delete_first = find_conflicts(
        new, lambda resource: resolve(resource.props, lambda ref: look_up(plan, ref)), deletions
    )
    takers = {name: logical_id for logical_id, names in plan.delete_before.items() for name in names}
    ordered = {}
    for name in TopologicalSorter(plan.delete_first).static_order():
        why = f"no longer declared; {takers[name]} takes its place" if name in takers else "no longer declared"
        ordered[name] = delete_change(name, deletions[name], resource_types[deletions[name].type_name], why)
    plan.changes = ordered | plan.changes


def _plan_unmanaged_removals(plan: Plan, state: StackState, clients: Clients, resource_types: ResourceTypes) -> None:
    """Plan the removal of unmanaged children from the resources that own all of theirs."""
    owning = [name for name in plan.actual if plan.stack.resources[name].type.owns_children]
    parts = known_children(plan, state, clients, resource_types)

    def begin(name: str) -> Any:
        def work(report_stage: ReportStage[str]) -> None:
            resource, change, actual = plan.stack.resources[name], plan.changes[name], plan.actual[name]
            desired = resolve(resource.props, lambda ref: look_up(plan, ref))
            managed = managed_resource_of(resource, plan.stack.suffix, state.resources.get(name), desired)
            found = unmanaged_in(clients, managed.with_id(change.id), actual, parts)
            plan.changes[name] = with_unmanaged(change, tuple(one for one in found if not one.kept_reason))
            report_stage(name)

        return work

    DagExecutor({name: set() for name in owning if not plan.changes[name].foreign}, begin, workers=READERS).run()


def known_children(plan: Plan, state: StackState, clients: Clients, resource_types: ResourceTypes) -> list[KnownChild]:
    """Return all known children: declared, actual, recorded, and deleted ones that AWS may still show.

    A resource in the state is known by its id, whether it is still declared or not.
    """
    parts = []
    for resource in plan.stack:
        parts.append(KnownChild(str(resource.type), resolve(resource.props, lambda ref: look_up(plan, ref))))
        parts.append(KnownChild(str(resource.type), plan.actual.get(resource.logical_id, {})))
    for resource_state in state.resources.values():
        own = {**resource_state.desired, **_id_properties(resource_types[resource_state.type_name], resource_state)}
        parts += [
            KnownChild(resource_state.type_name, own),
            KnownChild(resource_state.type_name, resource_state.recorded or {}),
        ]
    late = (tombstone for tombstone in state.tombstones if consistency_seconds_left(clients, tombstone.deleted_at))
    return parts + [KnownChild(tombstone.type_name, tombstone.desired) for tombstone in late]


def _id_properties(resource_type: ResourceType, resource_state: ResourceState) -> JsonObject:
    """Return the id of a resource state as the properties that hold it in the result of `read`."""
    paths = (resource_type.id_paths,) if isinstance(resource_type.id_paths, str) else resource_type.id_paths
    values = [resource_state.id] if len(paths) == 1 else resource_state.id.split("|")
    told = zip(paths, values, strict=False)
    return {path: value for path, value in told if value and "." not in path}


def desired_properties(plan: Plan, resource: Resource, clients: Clients) -> JsonObject:
    """Return the desired properties as far as they are known, each secret in the form that is compared."""

    def lookup(ref: Ref) -> Any:
        return look_up(plan, ref)

    with user_errors(f"reading what {resource.aws_name or resource.logical_id} is to hold"):
        return dict(fingerprint_secrets(resolve(resource.props, lookup), clients, lookup))


def _plan_resource(plan: Plan, resource: Resource, state: StackState, clients: Clients) -> None:
    desired = desired_properties(plan, resource, clients)
    resource_state = state_of_resource(state, resource, desired)
    managed = managed_resource_of(
        resource,
        plan.stack.suffix,
        resource_state,
        desired,
        state.ids_of_others(resource.logical_id, str(resource.type), resource.region),
    )
    actual = None
    if is_known({key: desired.get(key) for key in resource.type.lookup_properties}):
        with user_errors(f"looking at {resource.aws_name or resource.logical_id}"):
            actual = read_recorded(clients, managed, resource_state)
            if actual is not None and resource.type.plans_with_status_reads:
                actual = with_status_reads(
                    clients, managed, actual, resource_state.created_at if resource_state else 0.0
                )
            if is_unsupported(clients, managed):
                plan.unsupported.append(resource.logical_id)
    change = decide_change(resource, resource_state, actual, desired)
    if change.action == "create":
        change = _complete_creation(plan, resource, actual, change)
    if actual is not None:
        wall, speed = clients.clock.wall(), clients.aws.speed
        change = with_cooldown(change, resource.type, resource_state, (actual, desired), wall, speed)
    foreign = [plan.changes[name] for name in _parents_of(resource) if plan.changes[name].foreign]
    if actual is not None and foreign:
        why, remedy = "part of what is somebody else's", foreign[0].remedy
        change = replace(change, action="refuse", reason=why, foreign=True, adopts=False, remedy=remedy)
    plan.changes[resource.logical_id] = change
    if actual is not None and change.action != "create":
        plan.actual[resource.logical_id] = {**actual, "id": resource.type.id_of(actual)}


def _complete_creation(plan: Plan, resource: Resource, actual: JsonObject | None, change: Change) -> Change:
    """Return a create that asks for what a person must supply; remember the resource if it is restored."""
    if actual is not None and is_restorable(resource, actual):
        plan.restorable[resource.logical_id] = {**actual, "id": resource.type.id_of(actual)}
        return unused_secret_inputs(resource, change)
    if change.reason and (anew := _recreated_parent(plan, resource)):
        change = replace(change, reason=f"it goes with {anew}, which is made anew")
    return require_secret_inputs(resource, change)


def _recreated_parent(plan: Plan, resource: Resource) -> str:
    """Return the first resource that contains this one and will be created or replaced; else ""."""
    return next((name for name in _parents_of(resource) if plan.changes[name].action in ("create", "replace")), "")


def _parents_of(resource: Resource) -> list[str]:
    """Return the resources that contain this one."""
    return [ref.logical_id for key in resource.type.lookup_properties for ref in refs_in(resource.props.get(key))]


def look_up(plan: Plan, ref: Ref) -> Any:
    """Return the value of a reference, else `Unknown`; an id that is the resource's name is known before."""
    actual, resource = (
        plan.actual.get(ref.logical_id) or plan.restorable.get(ref.logical_id),
        plan.stack.resources[ref.logical_id],
    )
    if actual is None and ref.path == "id" and resource.type.id_paths == resource.type.name_property:
        return resolve(resource.props[resource.type.name_property], lambda inner: look_up(plan, inner))
    if actual is None or plan.changes[ref.logical_id].action == "replace":
        return Unknown(ref)
    value = value_at(actual, ref.path)
    return Unknown(ref) if value is None else value


def managed_resource_of(
    resource: Resource,
    suffix: str,
    resource_state: ResourceState | None,
    desired: JsonObject,
    away: frozenset[str] = frozenset(),
) -> ManagedResource:
    """Return the resource to work on for a declared one; `away` holds ids that a search must not return."""
    spec = ResourceSpec(
        logical_id=resource.logical_id,
        aws_name=resource.aws_name,
        suffix=suffix,
        props=desired,
        tags=resource.tags,
        id=resource_state.id if resource_state else "",
        excluded_ids=away,
    )
    return ManagedResource(
        resource.type,
        spec,
        resource.region,
        tuple(resource.depends_on),
        resource.step,
        timeout_override=resource.timeout,
    )
