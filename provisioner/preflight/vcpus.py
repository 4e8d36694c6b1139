"""The vCPUs of the tasks that a plan starts: tasks of a new revision start beside those of the old one."""

from __future__ import annotations

from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import CREATE_WAS_INTERRUPTED
from provisioner.engine.resource_graph.graph import Resource

# CPU units of one vCPU.
_UNITS = 1024


def on_fargate(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate (not Spot): the base, and the rest by weight."""
    return _whole(resource, _coming(resource, plan)) * _size(resource, plan)


def on_spot(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate Spot: all others."""
    return _coming(resource, plan) * _size(resource, plan) - on_fargate(resource, plan)


def stand_on_fargate(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate (not Spot) now."""
    return _whole(resource, _standing(resource, plan)) * _size_now(resource, plan)


def stand_on_spot(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate Spot now."""
    return _standing(resource, plan) * _size_now(resource, plan) - stand_on_fargate(resource, plan)


def _coming(resource: Resource, plan: Plan) -> int:
    """Return how many tasks start: all of a new revision, else those missing from the declared number."""
    least, change = int(resource.props["desiredCount"]), plan.changes[resource.logical_id]
    if change.action == "create":
        return 0 if change.reason == CREATE_WAS_INTERRUPTED else least
    runs = _standing(resource, plan)
    anew = any(one.top == "taskDefinition" for one in change.differences)
    return max(least, runs) if anew else max(least - runs, 0)


def _standing(resource: Resource, plan: Plan) -> int:
    """Return how many tasks the service runs now, by its desired count in AWS."""
    return int(plan.actual.get(resource.logical_id, {}).get("desiredCount", 0))


def _whole(resource: Resource, count: int) -> float:
    """Return how many of `count` tasks go to Fargate (not Spot) by the capacity provider strategy."""
    strategy = {one["capacityProvider"]: one for one in resource.props["capacityProviderStrategy"]}
    whole = strategy.get("FARGATE", {"base": 0, "weight": 0})
    weights = sum(one["weight"] for one in strategy.values())
    based = min(count, whole["base"])
    return float(based + (count - based) * whole["weight"] / weights)


def _size(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of one task, as it is declared."""
    return int(plan.stack.resources[resource.props["taskDefinition"].logical_id].props["cpu"]) / _UNITS


def _size_now(resource: Resource, plan: Plan) -> float:
    """Return the vCPUs of one task as it is now; as declared if its task definition was not read."""
    task = resource.props["taskDefinition"].logical_id
    return int(plan.actual[task]["cpu"]) / _UNITS if task in plan.actual else _size(resource, plan)
