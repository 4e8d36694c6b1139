"""The resources that a teardown would delete, as the methods of their types take them."""

from __future__ import annotations

from provisioner.engine.plan import Plan, ResourceTypes, look_up, target_of
from provisioner.engine.refs import resolve
from provisioner.engine.resource_type import ResourceType
from provisioner.engine.target import ManagedResource
from provisioner.engine.teardown import target_in
from state.stack_state import StackState


def deletion_candidates(plan: Plan, state: StackState, resource_types: ResourceTypes) -> dict[str, ManagedResource]:
    """Return the resources that a teardown would delete, by name.

    These are the resources of the state that exist or are no longer declared, and the existing resources of
    the stack that the state does not know. Account-wide resources are left out.
    """
    known = {name: resource_state for name, resource_state in state.resources.items() if resource_state.id}
    there = plan.actual.keys() | {name for name in known if name not in plan.stack.resources}
    managed_resources = {name: target_in(state, name, resource_types) for name in known if name in there}
    for name in plan.found - state.resources.keys():
        resource = plan.stack.resources[name]
        wanted = resolve(resource.props, lambda ref: look_up(plan, ref))
        managed = target_of(resource, plan.stack.suffix, None, wanted)
        managed_resources[name] = managed.with_id(plan.changes[name].id)
    return {name: one for name, one in managed_resources.items() if not one.type.account_wide}


def overrides(resource_type: ResourceType, action: str) -> bool:
    """Return whether a resource type overrides an action of the base class."""
    return getattr(type(resource_type), action) is not getattr(ResourceType, action)
