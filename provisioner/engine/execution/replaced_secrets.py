"""Record which resources hold a former secret, before the resource that keeps the secret is created again.

The id of the keeper tells two secrets apart (`StoredSecret`). Once the new keeper exists, a state that names no
keeper, or that learns of the resource only now, could not tell that AWS still holds the former secret:
neither later in this run nor after an interruption.
"""

from __future__ import annotations

from dataclasses import replace

from provisioner.engine.execution.adoption import adopt
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.planning.plan import Plan, managed_resource_of
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, StoredSecret


def record_outdated_secrets(executor: ResourceExecutor, plan: Plan) -> None:
    """Record each existing resource, selected or not, that will still hold a secret of the former keeper."""
    whole = plan.unfiltered or plan
    for resource in whole.stack:
        change = whole.changes[resource.logical_id]
        if resource.type.write_only and resource.logical_id in whole.actual and not change.foreign:
            desired = whole.desired_properties(resource, executor.clients)
            if outdated := _outdated_secrets(resource, desired):
                _record_outdated(executor, plan, resource, desired, outdated)


def _outdated_secrets(resource: Resource, desired: JsonObject) -> JsonObject:
    """Return a resource's secrets whose keeper is yet to be created, in the form that the state holds."""
    return {
        key: value.fingerprint
        for key, value in desired.items()
        if key in resource.type.write_only and isinstance(value, StoredSecret) and value.is_pending
    }


def _record_outdated(
    executor: ResourceExecutor, plan: Plan, resource: Resource, desired: JsonObject, outdated: JsonObject
) -> None:
    # Adopt the resource where it is new to the state, then record that it holds the former secrets.
    change = (plan.unfiltered or plan).changes[resource.logical_id]
    if change.adopts and resource.logical_id in plan.changes:
        managed = managed_resource_of(resource, plan.stack.suffix, None, desired).with_id(change.id)
        adopt(executor, managed, change, executor.state_manager.get(resource.logical_id))
    resource_state = executor.state_manager.get(resource.logical_id)
    if resource_state and resource_state.id == change.id:
        executor.state_manager.record_adopted(
            resource.logical_id, replace(resource_state, recorded={**(resource_state.recorded or {}), **outdated})
        )
