"""The processors that the tasks of a plan take: another revision comes beside the old one."""

from __future__ import annotations

from provisioner.engine.decide import BEGUN
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan

# CPU units of a processor.
_UNITS = 1024


def on_fargate(node: Node, made: Plan) -> float:
    """The processors of the tasks that come to Fargate itself: the base, and the rest by weight."""
    return _whole(node, _coming(node, made)) * _size(node, made)


def on_spot(node: Node, made: Plan) -> float:
    """The processors of the tasks that come to Spot: all others."""
    return _coming(node, made) * _size(node, made) - on_fargate(node, made)


def stand_on_fargate(node: Node, made: Plan) -> float:
    """The processors of the tasks that run on Fargate itself."""
    return _whole(node, _standing(node, made)) * _size_now(node, made)


def stand_on_spot(node: Node, made: Plan) -> float:
    """The processors of the tasks that run on Spot."""
    return _standing(node, made) * _size_now(node, made) - stand_on_fargate(node, made)


def _coming(node: Node, made: Plan) -> int:
    """How many tasks start: all of a new revision, else those that are missing to the least number."""
    least, change = int(node.props["desiredCount"]), made.changes[node.name]
    if change.verb == "create":
        return 0 if change.why == BEGUN else least
    runs = _standing(node, made)
    anew = any(one.top == "taskDefinition" for one in change.differences)
    return max(least, runs) if anew else max(least - runs, 0)


def _standing(node: Node, made: Plan) -> int:
    return int(made.docs.get(node.name, {}).get("desiredCount", 0))


def _whole(node: Node, count: int) -> float:
    strategy = {one["capacityProvider"]: one for one in node.props["capacityProviderStrategy"]}
    whole = strategy.get("FARGATE", {"base": 0, "weight": 0})
    weights = sum(one["weight"] for one in strategy.values())
    based = min(count, whole["base"])
    return float(based + (count - based) * whole["weight"] / weights)


def _size(node: Node, made: Plan) -> float:
    """The processors of one task, as it is to be."""
    return int(made.stack.nodes[node.props["taskDefinition"].node].props["cpu"]) / _UNITS


def _size_now(node: Node, made: Plan) -> float:
    task = node.props["taskDefinition"].node
    return int(made.docs[task]["cpu"]) / _UNITS if task in made.docs else _size(node, made)
