"""The time that a plan will take: the seconds of its critical path, by earlier runs or typical times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from provisioner.engine.critical import CriticalPath, DeleteStage, Stage, create_graph, critical_path, delete_graph
from provisioner.engine.decide import Change
from provisioner.engine.durations import DurationHistory
from provisioner.engine.ending import TeardownPlan
from provisioner.engine.graph import Resource
from provisioner.engine.plan import Plan, ResourceTypes
from state.stack_state import StackState

Step = TypeVar("Step", Stage, DeleteStage)


@dataclass(frozen=True)
class Wait:
    """One resource on the critical path, and the seconds that it takes there."""

    logical_id: str = field(metadata={"json": "node"})
    seconds: float


@dataclass(frozen=True)
class TimeEstimate:
    """The seconds that a run takes at least, and the resources on which they are spent."""

    seconds: float
    critical_path: tuple[Wait, ...]
    is_measured: bool


def estimate_apply(
    plan: Plan, state: StackState, resource_types: ResourceTypes, history: DurationHistory
) -> TimeEstimate:
    """Estimate the time of a plan: creates and updates, then the deletion of undeclared resources."""
    seconds: dict[Stage, float] = {}
    for resource in plan.stack:
        seconds |= _of(resource, plan.changes[resource.logical_id], state, history)
    up = critical_path(create_graph({resource.logical_id: resource.edges for resource in plan.stack}), seconds)
    leaving = [name for name, change in plan.changes.items() if change.action == "delete"]
    depends_on = {name: [one for one in state.resources[name].depends_on if one in leaving] for name in leaving}
    takes = {DeleteStage(name, "gone"): _until_gone(state, name, resource_types, history) for name in leaving}
    down = critical_path(delete_graph(depends_on, lambda _name, _other: False), takes)
    return _told(_by_node(up, seconds) | _by_node(down, takes), history)


def estimate_teardown(
    teardown: TeardownPlan, region: str, resource_types: ResourceTypes, history: DurationHistory
) -> TimeEstimate:
    """Estimate the time of a teardown."""
    takes = {
        DeleteStage(one.logical_id, "gone"): history.typical_seconds(
            resource_types[one.type_name], one.region or region, "delete", "gone"
        )
        for one in teardown.deletions
    }
    return _told(_by_node(critical_path(teardown.order, takes), takes), history)


def _of(resource: Resource, change: Change, state: StackState, history: DurationHistory) -> dict[Stage, float]:
    """Return the seconds of each stage of one resource; empty where nothing is done to it."""
    region = resource.region or state.location.region
    exists, ready = Stage(resource.logical_id, "exists"), Stage(resource.logical_id, "ready")
    action = "create" if change.action == "replace" else change.action
    if action == "create":
        return {
            exists: history.typical_seconds(resource.type, region, action, "exists"),
            ready: history.typical_seconds(resource.type, region, action, "ready"),
        }
    if action in ("update", "finish"):
        return {ready: history.typical_seconds(resource.type, region, action, "ready")}
    return {}


def _until_gone(state: StackState, name: str, resource_types: ResourceTypes, history: DurationHistory) -> float:
    resource_state = state.resources[name]
    return history.typical_seconds(
        resource_types[resource_state.type_name], resource_state.region or state.location.region, "delete", "gone"
    )


def _by_node(chain: CriticalPath[Step], seconds: Mapping[Step, float]) -> dict[str, float]:
    # The seconds that each resource takes on the critical path.
    spent: dict[str, float] = {}
    for stage in chain.vertices:
        spent[stage.name] = spent.get(stage.name, 0.0) + seconds.get(stage, 0.0)
    return spent


def _told(spent: Mapping[str, float], history: DurationHistory) -> TimeEstimate:
    waits = tuple(Wait(name, seconds) for name, seconds in spent.items() if seconds)
    return TimeEstimate(sum(wait.seconds for wait in waits), waits, bool(history.by_step))
