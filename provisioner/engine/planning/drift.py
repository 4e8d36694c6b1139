"""Drift: how the actual state differs from the recorded one, and what `apply` would do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import (
    ManagedResource,
    read_recorded,
    unmanaged_in,
    with_status_reads,
)
from provisioner.engine.execution.scheduler import run_in_parallel
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.change import Change, retain_change
from provisioner.engine.planning.diff import (
    Difference,
    differences,
    external_differences,
    meets_condition,
    tag_differences,
)
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.plan_builder import known_children
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.health_status import ResourceHealth, health_of
from provisioner.engine.types.resource_type import ResourceType
from provisioner.engine.types.unmanaged import KnownChild, Unmanaged
from state.stack_state import ResourceState

DriftCategory = Literal["altered", "gone", "failed", "unknown", "extra", "held"]
# Parallel reads, as many as in a plan, whose answers are shared.
_READERS = 8


@dataclass(frozen=True)
class DriftField:
    """One field: its recorded value, its actual value, and the value that the settings want now."""

    path: str
    recorded: Any
    actual: Any
    desired: Any
    owner: str = ""
    # Whether it is the health status, and not a declared property.
    is_status: bool = False

    @property
    def has_moved(self) -> bool:
        """Whether the settings have changed since the value was recorded."""
        return bool(self.desired != self.recorded)


@dataclass(frozen=True)
class Drift:
    """How one resource differs from its recorded state, and what `apply` would do about it."""

    category: DriftCategory
    logical_id: str
    step: str
    type_name: str
    aws_name: str
    id: str
    remedy: str
    fields: tuple[DriftField, ...] = ()
    # The unmanaged child of the resource, in words.
    unmanaged: str = ""


@dataclass
class DriftReport:
    """The drift of one stack.

    `unfinished` are the resources that no run has recorded as ready yet. `health` is the health of each
    resource that was looked at. `undeclared` are the resources that are no longer declared: the next apply
    deletes them.
    """

    suffix: str
    drifts: list[Drift] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    health: dict[str, ResourceHealth] = field(default_factory=dict)
    # What AWS is working on, by resource: what it does, for whom, and what it waits for.
    under_way: dict[str, str] = field(default_factory=dict)
    # Which children AWS did not let be listed, and where to look for them.
    unlisted: list[str] = field(default_factory=list)
    # How many resources were looked at.
    checked: int = 0

    def count(self, category: str) -> int:
        """Return how many drifts are of a category."""
        return sum(drift.category == category for drift in self.drifts)

    @property
    def in_progress(self) -> dict[str, str]:
        """The resources that AWS is still working on, with AWS's word for it: they are no drift."""
        return {name: health.aws_status for name, health in self.health.items() if health.status == "in progress"}

    @property
    def is_empty(self) -> bool:
        """Whether none of the resources that were looked at exists, and no other is unfinished."""
        return not self.unfinished and self.count("gone") == self.checked

    @property
    def is_drifting(self) -> bool:
        """Whether anything that is ours differs: a field that another owner holds is no drift."""
        return any(drift.category != "held" for drift in self.drifts)


@dataclass(frozen=True)
class _ResourceReading:
    """What was read of one resource: its health, its drifts, and the children that AWS did not let be listed."""

    health: ResourceHealth
    drifts: list[Drift]
    unlisted: list[str] = field(default_factory=list)


def look_for_drift(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> DriftReport:
    """Compare the actual state of each resource with the recorded one; a changed setting is no drift.

    `clients` shares the answers of the plan, so that looking twice costs nothing.
    """
    listed = {
        name: resource_state
        for name, resource_state in plan.state.resources.items()
        if not resource_types[resource_state.type_name].account_wide
    }
    ready = [name for name, resource_state in listed.items() if resource_state.phase == "ready"]
    children = known_children(plan, clients, resource_types)
    readings: dict[str, _ResourceReading] = {}

    def read(name: str) -> None:
        managed = recorded_resource(plan.state, name, resource_types)
        change = plan.changes.get(name) or retain_change(name, listed[name])
        readings[name] = _read_resource(managed, listed[name], change, clients, children)

    run_in_parallel({name: set() for name in ready}, read, workers=_READERS)
    drifts = [drift for name in ready for drift in readings[name].drifts]
    gone = {drift.logical_id for drift in drifts if drift.category == "gone"}
    deletions = [name for name in ready if name in plan.changes and plan.changes[name].action == "delete"]
    return DriftReport(
        plan.state.suffix,
        drifts,
        unfinished=[name for name in listed if name not in ready],
        undeclared=[name for name in deletions if name not in gone],
        health={name: readings[name].health for name in ready},
        under_way=dict(_operations_in_progress(plan, listed, resource_types)),
        unlisted=[child for name in ready for child in readings[name].unlisted],
        checked=len(ready),
    )


def _read_resource(
    managed: ManagedResource,
    resource_state: ResourceState,
    change: Change,
    clients: Clients,
    children: list[KnownChild],
) -> _ResourceReading:
    """Read one resource and, if it exists, its unmanaged children."""
    with user_errors(f"looking at {resource_state.type_name} {resource_state.aws_name or managed.spec.logical_id}"):
        actual = read_recorded(clients, managed, resource_state)
        actual = actual and with_status_reads(clients, managed, actual, resource_state.created_at)
    drifts = list(drifts_of(managed, resource_state, actual, change))
    reading = _ResourceReading(health_of(managed.type, actual), drifts)
    if actual is None or any(drift.category == "gone" for drift in drifts):
        return reading
    for child in unmanaged_in(clients, managed, actual, children):
        if child.is_unlisted:
            reading.unlisted.append(f"{child.description}; {child.kept_reason}")
        else:
            reading.drifts.append(_unmanaged_drift(managed, resource_state, child))
    return reading


def _operations_in_progress(
    plan: Plan, listed: Mapping[str, ResourceState], resource_types: ResourceTypes
) -> Iterator[tuple[str, str]]:
    """Yield what AWS is working on, by resource, from the reads of the plan."""
    for name, resource_state in listed.items():
        resource_type, actual = resource_types[resource_state.type_name], plan.actual.get(name)
        if actual and (operation := resource_type.operation_in_progress(actual, resource_state.desired)):
            yield name, operation


def drifts_of(
    managed: ManagedResource, resource_state: ResourceState, actual: JsonObject | None, change: Change
) -> Iterator[Drift]:
    """Yield the drift of one resource, and as another one the fields that other owners hold."""
    resource_type, recorded = managed.type, resource_state.recorded or {}
    remedy = _remedy(resource_type, change)
    health = health_of(resource_type, actual)
    if (
        actual is None
        or health.status == "gone"
        or meets_condition(actual, resource_type.deleted)
        or meets_condition(actual, resource_type.deleting)
    ):
        yield _drift(managed, resource_state, "gone", remedy)
        return
    ours = differences(resource_type, recorded, actual, recorded)
    if resource_type.tagged and actual.get("Tags") is not None:
        ours += tag_differences(managed.spec.tags, actual["Tags"])
    if health.status in ("unhealthy", "unknown"):
        category: DriftCategory = "failed" if health.status == "unhealthy" else "unknown"
        if change.action == "keep":
            remedy = "apply leaves it: nothing of its settings differs"
        yield _drift(managed, resource_state, category, remedy, fields=_with_status(health, _fields(ours, change)))
    elif ours:
        yield _drift(managed, resource_state, "altered", remedy, fields=_fields(ours, change))
    theirs = external_differences(resource_type, recorded, actual, recorded)
    theirs += [difference for difference in change.external if difference.top not in recorded]
    if theirs:
        owners = " and ".join(dict.fromkeys(difference.owner for difference in theirs))
        yield _drift(managed, resource_state, "held", f"left to {owners}", fields=_fields(theirs, change))


def _unmanaged_drift(managed: ManagedResource, resource_state: ResourceState, child: Unmanaged) -> Drift:
    """Return an unmanaged child as a drift of the resource that it lies in."""
    if child.owner:
        return _drift(managed, resource_state, "held", f"left to {child.owner}", unmanaged=child.description)
    remedy = f"apply leaves it: {child.kept_reason}" if child.kept_reason else "apply removes it"
    return _drift(managed, resource_state, "extra", remedy, unmanaged=child.description)


def _drift(
    managed: ManagedResource, resource_state: ResourceState, category: DriftCategory, remedy: str, **more: Any
) -> Drift:
    return Drift(
        category,
        managed.spec.logical_id,
        resource_state.step,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.id,
        remedy,
        **more,
    )


def _fields(differing: Iterable[Difference], change: Change) -> tuple[DriftField, ...]:
    return tuple(_field(difference, change) for difference in differing)


def _with_status(health: ResourceHealth, fields: tuple[DriftField, ...]) -> tuple[DriftField, ...]:
    """Return the status and the fields that differ; a status that is itself such a field stands once."""
    if health.member in {field_.path for field_ in fields}:
        return fields
    return (DriftField(health.member, None, health.aws_status, None, is_status=True), *fields)


def _field(difference: Difference, change: Change) -> DriftField:
    """Return the field of a difference between the actual and the recorded value, with its desired value.

    The desired value is the one in the plan. Where the plan has none, it is the actual value if the plan
    compared the resource, else the recorded one.
    """
    planned = {each.path: each.new for each in (*change.differences, *change.external)}
    actual, recorded = difference.old, difference.new
    is_compared = change.action in ("keep", "update", "finish")
    desired = planned.get(difference.path, actual if is_compared else recorded)
    return DriftField(difference.path, recorded, actual, desired, difference.owner)


def _remedy(resource_type: ResourceType, change: Change) -> str:
    """Return what `apply` would do about a drift, in words."""
    match change.action:
        case "create":
            return "apply creates it again" + ("; what was in it is gone" if resource_type.holds_data else "")
        case "update":
            return "apply sets it right"
        case "replace" | "refuse":
            return f"apply {change.action}s: {change.reason}" if change.reason else f"apply {change.action}s it"
        case "delete":
            return "apply deletes it: it is no longer declared"
        case "release":
            return "apply leaves it, and forgets it: it is no longer declared"
        case "finish":
            return f"apply waits: {change.reason}"
        case _:
            return "apply leaves it: it matches the settings"
