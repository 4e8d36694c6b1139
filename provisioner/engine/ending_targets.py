"""The resources that a teardown would delete, as the methods of their types take them."""

from __future__ import annotations

from provisioner.engine.kind import Kind
from provisioner.engine.plan import Kinds, Plan, look_up, target_of
from provisioner.engine.refs import resolve
from provisioner.engine.target import Target
from provisioner.engine.teardown import target_in
from state.stack_state import StackState


def ending_targets(plan: Plan, state: StackState, kinds: Kinds) -> dict[str, Target]:
    """Return the resources that a teardown would delete, by name.

    These are the resources of the state that exist or are no longer declared, and the existing resources of
    the stack that the state does not know. Account-wide resources are left out.
    """
    known = {name: resource_state for name, resource_state in state.resources.items() if resource_state.id}
    there = plan.docs.keys() | {name for name in known if name not in plan.stack.nodes}
    targets = {name: target_in(state, name, kinds) for name in known if name in there}
    for name in plan.found - state.resources.keys():
        node = plan.stack.nodes[name]
        wanted = resolve(node.props, lambda ref: look_up(plan, ref))
        target = target_of(node, plan.stack.suffix, None, wanted)
        targets[name] = target.with_id(plan.changes[name].id)
    return {name: one for name, one in targets.items() if not one.kind.shared}


def overrides(kind: Kind, verb: str) -> bool:
    """Return whether a resource type overrides an action of the base class."""
    return getattr(type(kind), verb) is not getattr(Kind, verb)
