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
from provisioner.engine.execution.scheduler import DagExecutor, ReportStage, Work
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
from provisioner.engine.types.unmanaged import Unmanaged
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
    # Whether it tells the resource's health, and is no property that was asked of AWS.
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

    def count(self, what: str) -> int:
        """Return how many drifts are of the category `what`."""
        return sum(one.category == what for one in self.drifts)

    @property
    def in_progress(self) -> dict[str, str]:
        """The resources that AWS is still working on, with AWS's word for it: they are no drift."""
        return {name: one.aws_status for name, one in self.health.items() if one.status == "in progress"}

    @property
    def is_empty(self) -> bool:
        """Whether none of the resources that were looked at exists, and no other is unfinished."""
        return not self.unfinished and self.count("gone") == self.checked

    @property
    def is_drifting(self) -> bool:
        """Whether anything that is ours differs: a field that another owner holds is no drift."""
        return any(one.category != "held" for one in self.drifts)


def look_for_drift(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> DriftReport:
    """Compare the actual state of each resource with the recorded one; a changed setting is no drift.

    `clients` shares the answers of the plan, so that looking twice costs nothing.
    """
    report = DriftReport(plan.state.suffix)
    found: dict[str, list[Drift]] = {}
    parts = known_children(plan, clients, resource_types)
    listed = {
        name: resource_state
        for name, resource_state in plan.state.resources.items()
        if not resource_types[resource_state.type_name].account_wide
    }

    def begin(name: str) -> Work[str]:
        def work(report_stage: ReportStage[str]) -> None:
            managed, resource_state = recorded_resource(plan.state, name, resource_types), listed[name]
            with user_errors(f"looking at {resource_state.type_name} {resource_state.aws_name or name}"):
                actual = read_recorded(clients, managed, resource_state)
                actual = actual and with_status_reads(clients, managed, actual, resource_state.created_at)
            report.health[name] = health_of(managed.type, actual)
            change = plan.changes.get(name) or retain_change(name, resource_state)
            found[name] = list(_drifts_of(managed, resource_state, actual, change))
            if actual is not None and not any(one.category == "gone" for one in found[name]):
                children = unmanaged_in(clients, managed, actual, parts)
                found[name] += [
                    _unmanaged_drift(managed, resource_state, one) for one in children if not one.is_unlisted
                ]
                report.unlisted += [f"{one.description}; {one.kept_reason}" for one in children if one.is_unlisted]
            report_stage(name)

        return work

    ready = [name for name, resource_state in listed.items() if resource_state.phase == "ready"]
    DagExecutor({name: set() for name in ready}, begin, workers=_READERS).run()
    report.drifts = [drift for name in ready for drift in found[name]]
    report.checked = len(ready)
    gone = {one.logical_id for one in report.drifts if one.category == "gone"}
    deletions = (name for name in ready if name in plan.changes and plan.changes[name].action == "delete")
    report.undeclared = [name for name in deletions if name not in gone]
    report.unfinished = [name for name in listed if name not in ready]
    report.under_way = dict(_operations_in_progress(plan, listed, resource_types))
    return report


def _operations_in_progress(
    plan: Plan, listed: Mapping[str, ResourceState], resource_types: ResourceTypes
) -> Iterator[tuple[str, str]]:
    """Yield what AWS is working on, by resource, from the reads of the plan."""
    for name, resource_state in listed.items():
        actual = plan.actual.get(name)
        if actual and (
            words := resource_types[resource_state.type_name].operation_in_progress(actual, resource_state.desired)
        ):
            yield name, words


def _drifts_of(
    managed: ManagedResource, resource_state: ResourceState, actual: JsonObject | None, change: Change
) -> Iterator[Drift]:
    # The drift of one resource, and as another one the fields that other owners hold.
    resource_type, recorded = managed.type, resource_state.recorded or {}
    remedy = _remedy(resource_type, change)
    how = health_of(resource_type, actual)
    if (
        actual is None
        or how.status == "gone"
        or meets_condition(actual, resource_type.deleted)
        or meets_condition(actual, resource_type.deleting)
    ):
        yield _drift(managed, resource_state, "gone", remedy)
        return
    ours = differences(resource_type, recorded, actual, recorded)
    if resource_type.tagged and actual.get("Tags") is not None:
        ours += tag_differences(managed.spec.tags, actual["Tags"])
    if how.status in ("unhealthy", "unknown"):
        what: DriftCategory = "failed" if how.status == "unhealthy" else "unknown"
        leaves = "apply leaves it: nothing of its settings differs" if change.action == "keep" else remedy
        yield _drift(managed, resource_state, what, leaves, fields=_with_status(how, _fields(ours, change)))
    elif ours:
        yield _drift(managed, resource_state, "altered", remedy, fields=_fields(ours, change))
    theirs = external_differences(resource_type, recorded, actual, recorded)
    if theirs := theirs + [one for one in change.external if one.top not in recorded]:
        owners = " and ".join(dict.fromkeys(one.owner for one in theirs))
        yield _drift(managed, resource_state, "held", f"left to {owners}", fields=_fields(theirs, change))


def _unmanaged_drift(managed: ManagedResource, resource_state: ResourceState, one: Unmanaged) -> Drift:
    if one.owner:
        return _drift(managed, resource_state, "held", f"left to {one.owner}", unmanaged=one.description)
    remedy = f"apply leaves it: {one.kept_reason}" if one.kept_reason else "apply removes it"
    return _drift(managed, resource_state, "extra", remedy, unmanaged=one.description)


def _drift(
    managed: ManagedResource, resource_state: ResourceState, what: DriftCategory, remedy: str, **more: Any
) -> Drift:
    return Drift(
        what,
        managed.spec.logical_id,
        resource_state.step,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.id,
        remedy,
        **more,
    )


def _fields(found: Iterable[Difference], change: Change) -> tuple[DriftField, ...]:
    return tuple(_field(one, change) for one in found)


def _with_status(how: ResourceHealth, fields: tuple[DriftField, ...]) -> tuple[DriftField, ...]:
    """Return the status and the fields that differ; a status that is itself such a field stands once."""
    if how.member in {one.path for one in fields}:
        return fields
    return (DriftField(how.member, None, how.aws_status, None, is_status=True), *fields)


def _field(one: Difference, change: Change) -> DriftField:
    """Return the field of a difference between the actual and the recorded value, with its desired value.

    The desired value is the one in the plan. Where the plan has none, it is the actual value if the plan
    compared the resource, else the recorded one.
    """
    planned = {each.path: each.new for each in (*change.differences, *change.external)}
    compared = change.action in ("keep", "update", "finish")
    desired = planned.get(one.path, one.old if compared else one.new)
    return DriftField(one.path, one.new, one.old, desired, one.owner)


def _remedy(resource_type: ResourceType, change: Change) -> str:
    """Return what `apply` would do about a drift, in words."""
    match change.action:
        case "create":
            return "apply makes it anew" + ("; what was in it is gone" if resource_type.holds_data else "")
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
            return "apply leaves it: the settings want it so"
