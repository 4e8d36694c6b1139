"""The vCPUs of the tasks that a plan starts: tasks of a new revision start beside those of the old one."""

from __future__ import annotations

from provisioner.engine.decide import BEGUN
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan

# CPU units of one vCPU.
_UNITS = 1024


def on_fargate(node: Node, made: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate (not Spot): the base, and the rest by weight."""
    return _whole(node, _coming(node, made)) * _size(node, made)


def on_spot(node: Node, made: Plan) -> float:
    """Return the vCPUs of the tasks that start on Fargate Spot: all others."""
    return _coming(node, made) * _size(node, made) - on_fargate(node, made)


def stand_on_fargate(node: Node, made: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate (not Spot) now."""
    return _whole(node, _standing(node, made)) * _size_now(node, made)


def stand_on_spot(node: Node, made: Plan) -> float:
    """Return the vCPUs of the tasks that run on Fargate Spot now."""
    return _standing(node, made) * _size_now(node, made) - stand_on_fargate(node, made)


def _coming(node: Node, made: Plan) -> int:
    """Return how many tasks start: all of a new revision, else those missing from the declared number."""
    least, change = int(node.props["desiredCount"]), made.changes[node.name]
    if change.verb == "create":
        return 0 if change.why == BEGUN else least
    runs = _standing(node, made)
    anew = any(one.top == "taskDefinition" for one in change.differences)
    return max(least, runs) if anew else max(least - runs, 0)


def _standing(node: Node, made: Plan) -> int:
    """Return how many tasks the service runs now, by its desired count in AWS."""
    return int(made.docs.get(node.name, {}).get("desiredCount", 0))


def _whole(node: Node, count: int) -> float:
    """Return how many of `count` tasks go to Fargate (not Spot) by the capacity provider strategy."""
    strategy = {one["capacityProvider"]: one for one in node.props["capacityProviderStrategy"]}
    whole = strategy.get("FARGATE", {"base": 0, "weight": 0})
    weights = sum(one["weight"] for one in strategy.values())
    based = min(count, whole["base"])
    return float(based + (count - based) * whole["weight"] / weights)


def _size(node: Node, made: Plan) -> float:
    """Return the vCPUs of one task, as it is declared."""
    return int(made.stack.nodes[node.props["taskDefinition"].node].props["cpu"]) / _UNITS


def _size_now(node: Node, made: Plan) -> float:
    """Return the vCPUs of one task as it is now; as declared if its task definition was not read."""
    task = node.props["taskDefinition"].node
    return int(made.docs[task]["cpu"]) / _UNITS if task in made.docs else _size(node, made)
