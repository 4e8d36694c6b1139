"""Duration estimates: of a plan before it is carried out, and of what is left of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from provisioner.engine.estimates.critical_path import (
    DeleteStage,
    DurationHistory,
    Milestone,
    Stage,
    create_graph,
    critical_path,
    delete_graph,
    seconds_by_resource,
)
from provisioner.engine.execution.events import Event
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.teardown_plan import TeardownPlan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.runs.recorder import RecordedResource
from provisioner.engine.types.resource_type import ResourceType
from state.stack_state import StackState


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


def estimate_apply(plan: Plan, resource_types: ResourceTypes, history: DurationHistory) -> TimeEstimate:
    """Estimate the time of a plan: creates and updates, then the deletion of undeclared resources."""
    state = plan.state
    seconds: dict[Stage, float] = {}
    for resource in plan.stack:
        seconds |= _stage_seconds(resource, plan.changes[resource.logical_id], state, history)
    create_path = critical_path(create_graph({resource.logical_id: resource.edges for resource in plan.stack}), seconds)
    deleted = [name for name, change in plan.changes.items() if change.action == "delete"]
    depends_on = {
        name: [dependency for dependency in state.resources[name].depends_on if dependency in deleted]
        for name in deleted
    }
    deletion_seconds = {
        DeleteStage(name, "gone"): _deletion_seconds(state, name, resource_types, history) for name in deleted
    }
    delete_path = critical_path(delete_graph(depends_on, lambda _name, _other: False), deletion_seconds)
    return _to_estimate(
        seconds_by_resource(create_path, seconds) | seconds_by_resource(delete_path, deletion_seconds), history
    )


def estimate_teardown(
    teardown: TeardownPlan, region: str, resource_types: ResourceTypes, history: DurationHistory
) -> TimeEstimate:
    """Estimate the time of a teardown."""
    deletion_seconds = {
        DeleteStage(deletion.logical_id, "gone"): history.typical_seconds(
            resource_types[deletion.type_name], deletion.region or region, "delete", "gone"
        )
        for deletion in teardown.deletions
    }
    return _to_estimate(seconds_by_resource(critical_path(teardown.order, deletion_seconds), deletion_seconds), history)


def _stage_seconds(
    resource: Resource, change: Change, state: StackState, history: DurationHistory
) -> dict[Stage, float]:
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


def _deletion_seconds(
    state: StackState, logical_id: str, resource_types: ResourceTypes, history: DurationHistory
) -> float:
    """Return the seconds that the deletion of a recorded resource usually takes."""
    resource_state = state.resources[logical_id]
    return history.typical_seconds(
        resource_types[resource_state.type_name], resource_state.region or state.location.region, "delete", "gone"
    )


def _to_estimate(by_resource: Mapping[str, float], history: DurationHistory) -> TimeEstimate:
    """Return the estimate made of the seconds that each resource takes on the critical path."""
    waits = tuple(Wait(name, seconds) for name, seconds in by_resource.items() if seconds)
    return TimeEstimate(sum(wait.seconds for wait in waits), waits, bool(history.samples))


# The stages of a resource that is brought up or deleted, in order, under the names of their durations.
_CREATE_MILESTONES: tuple[Milestone, ...] = ("exists", "ready")
_DELETE_MILESTONES: tuple[Milestone, ...] = ("gone",)
_ALL_MILESTONES = (*_CREATE_MILESTONES, *_DELETE_MILESTONES)


class ProgressStage(NamedTuple):
    """One stage of one resource."""

    logical_id: str
    milestone: str


@dataclass
class ProgressEstimate:
    """An estimate of the usual time of each resource and of the rest of the run, updated by the run's events.

    `seconds` holds the usual duration of each stage, `graph` the stages that each stage waits for.
    """

    now: Callable[[], float]
    seconds: Mapping[ProgressStage, float] = field(default_factory=dict)
    graph: Mapping[ProgressStage, set[ProgressStage]] = field(default_factory=dict)
    _started_at: dict[str, float] = field(default_factory=dict)
    _reached: set[ProgressStage] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def for_run(
        cls,
        resources: Mapping[str, RecordedResource],
        actions: Mapping[str, str],
        resource_types: Mapping[str, ResourceType],
        history: DurationHistory,
        now: Callable[[], float],
    ) -> ProgressEstimate:
        """Return the estimate for a run.

        Args:
            resources: The recorded resources of the run, by logical id.
            actions: The action of each resource that the run works on, by logical id.
            resource_types: The resource types by name.
            history: The durations that earlier runs have measured.
            now: The function that returns monotonic seconds.

        """
        seconds: dict[ProgressStage, float] = {}
        for name, action in actions.items():
            resource_type, region = resource_types[resources[name].type_name], resources[name].region
            milestones = _DELETE_MILESTONES if action == "delete" else _CREATE_MILESTONES
            performed = "create" if action == "replace" else action
            for milestone in milestones:
                typical = history.typical_seconds(resource_type, region, performed, milestone)
                seconds[ProgressStage(name, milestone)] = typical
        return cls(now, seconds, _stage_graph(resources, actions))

    def record_event(self, event: Event) -> None:
        """Update the estimate by one event of the run."""
        with self._lock:
            if event.type in ("starting", "exists"):
                self._started_at[event.logical_id] = self.now()
            if event.type in ("exists", "gone"):
                self._reached.add(ProgressStage(event.logical_id, event.type))
            elif event.type in ("ready", "kept", "failed", "stopped"):
                self._reached |= {ProgressStage(event.logical_id, milestone) for milestone in _ALL_MILESTONES}

    def typical_seconds(self, logical_id: str) -> float:
        """Return the seconds that the work on this resource usually takes."""
        return sum(self.seconds.get(ProgressStage(logical_id, milestone), 0.0) for milestone in _ALL_MILESTONES)

    def seconds_left(self) -> float:
        """Return the seconds until the run ends, if the stages that are left take as long as usual."""
        with self._lock:
            left = {stage: self._stage_seconds_left(stage) for stage in self.graph}
        return critical_path(self.graph, left).seconds

    def total_seconds(self) -> float:
        """Return the usual seconds of the whole run."""
        return critical_path(self.graph, self.seconds).seconds

    def _stage_seconds_left(self, stage: ProgressStage) -> float:
        """Return the usual seconds of a stage, less those that have passed since it began."""
        if stage in self._reached:
            return 0.0
        is_begun = stage.milestone != "ready" or ProgressStage(stage.logical_id, "exists") in self._reached
        started_at = self._started_at.get(stage.logical_id) if is_begun else None
        elapsed = self.now() - started_at if started_at is not None else 0.0
        return max(self.seconds[stage] - elapsed, 0.0)


def _stage_graph(
    resources: Mapping[str, RecordedResource], actions: Mapping[str, str]
) -> dict[ProgressStage, set[ProgressStage]]:
    """Return the graph of a run: each stage with the stages that it waits for."""
    graph: dict[ProgressStage, set[ProgressStage]] = {}
    deleted = [name for name, action in actions.items() if action == "delete"]
    for name in (name for name, action in actions.items() if action != "delete"):
        dependencies = resources[name].depends_on.items()
        required = {ProgressStage(other, milestone) for other, milestone in dependencies if other in actions}
        graph[ProgressStage(name, "exists")] = required
        graph[ProgressStage(name, "ready")] = {ProgressStage(name, "exists")}
    graph |= {ProgressStage(name, "gone"): set() for name in deleted}
    for name in deleted:
        for dependency in resources[name].depends_on:
            if dependency in deleted and name not in resources[dependency].alongside:
                graph[ProgressStage(dependency, "gone")].add(ProgressStage(name, "gone"))
    return graph
