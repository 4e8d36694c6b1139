"""The time that a plan will take: the seconds of its critical path, by earlier runs or typical times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from provisioner.engine.critical import Chain, End, Stage, ends, longest, stages
from provisioner.engine.decide import Change
from provisioner.engine.durations import Durations
from provisioner.engine.ending import Ending
from provisioner.engine.graph import Resource
from provisioner.engine.plan import Plan, ResourceTypes
from state.stack_state import StackState

Step = TypeVar("Step", Stage, End)


@dataclass(frozen=True)
class Wait:
    """One resource on the critical path, and the seconds that it takes there."""

    node: str
    seconds: float


@dataclass(frozen=True)
class Expected:
    """The seconds that a run takes at least, and the resources on which they are spent."""

    seconds: float
    waits: tuple[Wait, ...]
    is_measured: bool


def expected(made: Plan, state: StackState, resource_types: ResourceTypes, durations: Durations) -> Expected:
    """Estimate the time of a plan: creates and updates, then the deletion of undeclared resources."""
    seconds: dict[Stage, float] = {}
    for resource in made.stack:
        seconds |= _of(resource, made.changes[resource.logical_id], state, durations)
    up = longest(stages({resource.logical_id: resource.edges for resource in made.stack}), seconds)
    leaving = [name for name, change in made.changes.items() if change.verb == "delete"]
    needs = {name: [one for one in state.resources[name].depends_on if one in leaving] for name in leaving}
    takes = {End(name, "gone"): _until_gone(state, name, resource_types, durations) for name in leaving}
    down = longest(ends(needs, lambda _name, _other: False), takes)
    return _told(_by_node(up, seconds) | _by_node(down, takes), durations)


def until_gone(ending: Ending, region: str, resource_types: ResourceTypes, durations: Durations) -> Expected:
    """Estimate the time of a teardown."""
    takes = {
        End(one.node, "gone"): durations.expected(resource_types[one.kind], one.region or region, "delete", "gone")
        for one in ending.going
    }
    return _told(_by_node(longest(ending.order, takes), takes), durations)


def _of(resource: Resource, change: Change, state: StackState, durations: Durations) -> dict[Stage, float]:
    """Return the seconds of each stage of one resource; empty where nothing is done to it."""
    region = resource.region or state.location.region
    exists, ready = Stage(resource.logical_id, "exists"), Stage(resource.logical_id, "ready")
    verb = "create" if change.verb == "replace" else change.verb
    if verb == "create":
        return {
            exists: durations.expected(resource.type, region, verb, "exists"),
            ready: durations.expected(resource.type, region, verb, "ready"),
        }
    if verb in ("update", "finish"):
        return {ready: durations.expected(resource.type, region, verb, "ready")}
    return {}


def _until_gone(state: StackState, name: str, resource_types: ResourceTypes, durations: Durations) -> float:
    resource_state = state.resources[name]
    return durations.expected(
        resource_types[resource_state.type_name], resource_state.region or state.location.region, "delete", "gone"
    )


def _by_node(chain: Chain[Step], seconds: Mapping[Step, float]) -> dict[str, float]:
    # The seconds that each resource takes on the critical path.
    spent: dict[str, float] = {}
    for stage in chain.steps:
        spent[stage.name] = spent.get(stage.name, 0.0) + seconds.get(stage, 0.0)
    return spent


def _told(spent: Mapping[str, float], durations: Durations) -> Expected:
    waits = tuple(Wait(name, seconds) for name, seconds in spent.items() if seconds)
    return Expected(sum(wait.seconds for wait in waits), waits, bool(durations.known))
