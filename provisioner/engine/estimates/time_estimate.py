"""Duration estimates: of a plan before it is carried out, and of what is left of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from provisioner.engine.estimates.critical_path import (
    CriticalPath,
    DeleteStage,
    DurationHistory,
    Stage,
    What,
    create_graph,
    critical_path,
    delete_graph,
)
from provisioner.engine.execution.events import Event
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.teardown_plan import TeardownPlan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.runs.recorder import RecordedResource
from provisioner.engine.types.resource_type import ResourceType
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


# The stages of a resource that is brought up or deleted, in order, under the names of their durations.
_COMES: tuple[What, ...] = ("exists", "ready")
_GOES: tuple[What, ...] = ("gone",)


class ProgressStage(NamedTuple):
    """One stage of one resource."""

    logical_id: str
    what: str


@dataclass
class ProgressEstimate:
    """An estimate of the usual time of each resource and of the rest of the run, updated by the run's events.

    `seconds` holds the usual duration of each stage, `graph` the stages that each stage waits for.
    """

    now: Callable[[], float]
    seconds: Mapping[ProgressStage, float] = field(default_factory=dict)
    graph: Mapping[ProgressStage, set[ProgressStage]] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _done: set[ProgressStage] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        steps: Mapping[str, RecordedResource],
        actions: Mapping[str, str],
        resource_types: Mapping[str, ResourceType],
        history: DurationHistory,
        now: Callable[[], float],
    ) -> ProgressEstimate:
        """Return the estimate for a run.

        Args:
            steps: The recorded resources of the run, by logical id.
            actions: The action of each resource that the run works on, by logical id.
            resource_types: The resource types by name.
            history: The durations that earlier runs have measured.
            now: The function that returns monotonic seconds.

        """
        seconds: dict[ProgressStage, float] = {}
        graph: dict[ProgressStage, set[ProgressStage]] = {}
        for name, action in actions.items():
            step, did = steps[name], "create" if action == "replace" else action
            before: set[ProgressStage] = set() if did == "delete" else _waits_for(step, actions)
            for what in _GOES if did == "delete" else _COMES:
                part = ProgressStage(name, what)
                seconds[part] = history.typical_seconds(resource_types[step.type_name], step.region, did, what)
                graph[part], before = before, {part}
        for name, action in actions.items():
            for need in steps[name].depends_on if action == "delete" else ():
                if ProgressStage(need, "gone") in graph and name not in steps[need].alongside:
                    graph[ProgressStage(need, "gone")].add(ProgressStage(name, "gone"))
        return cls(now, seconds, graph)

    def hear(self, event: Event) -> None:
        """Update the estimate by one event of the run."""
        with self._guard:
            if event.what == "starting":
                self._begun[event.logical_id] = self.now()
            elif event.what in ("exists", "ready", "gone", "failed", "stopped"):
                self._done.add(ProgressStage(event.logical_id, event.what))
            if event.what == "exists":
                self._begun[event.logical_id] = self.now()
            if event.what in ("ready", "kept", "failed", "stopped"):
                self._done |= {ProgressStage(event.logical_id, what) for what in (*_COMES, *_GOES)}

    def typical_seconds(self, logical_id: str) -> float:
        """Return the seconds that the work on this resource usually takes."""
        return sum(self.seconds.get(ProgressStage(logical_id, what), 0.0) for what in (*_COMES, *_GOES))

    def seconds_left(self) -> float:
        """Return the seconds until the run ends, if the stages that are left take as long as usual."""
        with self._guard:
            rest = {part: self._stage_seconds_left(part) for part in self.graph}
        return critical_path(self.graph, rest).seconds

    def total_seconds(self) -> float:
        """Return the usual seconds of the whole run."""
        return critical_path(self.graph, self.seconds).seconds

    def _stage_seconds_left(self, part: ProgressStage) -> float:
        # A stage that has begun takes its usual time less the time that has passed.
        if part in self._done:
            return 0.0
        first = part.what != "ready" or ProgressStage(part.logical_id, "exists") in self._done
        begun = self._begun.get(part.logical_id) if first else None
        passed = self.now() - begun if begun is not None else 0.0
        return max(self.seconds[part] - passed, 0.0)


def _waits_for(step: RecordedResource, actions: Mapping[str, str]) -> set[ProgressStage]:
    return {ProgressStage(name, what) for name, what in step.depends_on.items() if name in actions}
