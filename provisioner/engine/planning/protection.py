"""Deletion protection: which resources have one, and its removal before a teardown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.consistency import is_protected
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.outcome import FATAL, Outcome
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.blocked_deletions import read_unless_denied
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.teardown_plan import deletion_candidates, overrides_method


def protected_resources(plan: Plan, resource_types: ResourceTypes) -> list[str]:
    """Return the resources with a property that prevents deletion, as AWS returns it or as recorded."""
    ours = {name: properties for name, properties in plan.actual.items() if not plan.changes[name].foreign}
    missing = plan.stack.resources.keys() - ours.keys()
    recorded = {
        name: (resource_types[resource_state.type_name], resource_state.desired)
        for name, resource_state in plan.state.resources.items()
        if name not in missing
    }
    actual = {name: (plan.stack.resources[name].type, properties) for name, properties in ours.items()}
    candidates = recorded | actual
    return sorted(name for name, (resource_type, props) in candidates.items() if is_protected(resource_type, props))


@dataclass(frozen=True)
class HiddenProtection:
    """The protections of one resource that `read` does not show, in words; or why they are not known."""

    logical_id: str
    protections: tuple[str, ...] = ()
    unknown_reason: str = ""


def hidden_protections(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> list[HiddenProtection]:
    """Return the protections that need a call of their own, for each resource that would be deleted."""
    shared, hidden = clients.with_shared_reads(BatchScope.of(plan.state)), []
    for name, managed in deletion_candidates(plan, resource_types).items():
        if not overrides_method(managed.type, "protections"):
            continue
        client = shared.client(managed.type.service, managed.region)
        with user_errors(f"asking what protects {managed.spec.aws_name or name}"):
            read = partial(managed.type.protections, client, managed.spec)
            descriptions, unknown_reason = read_unless_denied(read, managed.type)
        if descriptions or unknown_reason:
            hidden.append(HiddenProtection(name, tuple(descriptions), unknown_reason))
    return hidden


def remove_protections(
    executor: ResourceExecutor, resource_types: ResourceTypes, visible: Iterable[str], hidden: Iterable[str] = ()
) -> Outcome:
    """Remove the protection of one resource after the other; failures are in the outcome.

    Args:
        executor: The executor.
        resource_types: The resource types by name.
        visible: The resources that a property protects.
        hidden: The resources with a protection that `read` does not show.

    """
    outcome = Outcome("teardown")
    state = executor.state_manager.state
    removals = [
        *((name, _remove_visible_protection) for name in visible),
        *((name, _remove_hidden_protection) for name in hidden),
    ]
    for name, remove in removals:
        managed = recorded_resource(state, name, resource_types)
        with outcome.recording(name, f"taking the protection off {managed.spec.aws_name or name}"):
            remove(executor, managed)
            outcome.done.append(name)
        if isinstance(outcome.failed.get(name), FATAL):
            break
    if outcome.failed:
        outcome.undone = sorted(state.resources.keys() - outcome.failed.keys() - set(outcome.done))
        _add_unprotected_hint(outcome)
    return outcome


def _add_unprotected_hint(outcome: Outcome) -> None:
    """Add to the first failure which resources are no longer protected: no other message says so."""
    if outcome.done:
        error = next(iter(outcome.failed.values()))
        note = f"No longer protected: {', '.join(outcome.done)}; an `apply` protects what its settings protect."
        error.hint = f"{error.hint}\n{note}".strip()


def _remove_visible_protection(executor: ResourceExecutor, managed: ManagedResource) -> None:
    """Update the properties that protect a resource, and wait until AWS has applied the change."""
    resource_type, props = managed.type, managed.spec.props
    unprotected = {key: _with_members(props.get(key), value) for key, value in resource_type.unprotected.items()}
    differing = tuple(Difference(key, props.get(key), value) for key, value in unprotected.items())
    spec = replace(managed.spec, props={**props, **unprotected})
    managed = replace(managed, spec=spec)
    change = Change("update", spec.logical_id, str(resource_type), spec.aws_name, managed.step, differences=differing)
    executor.update(managed, change)
    executor.wait_and_confirm(managed, updated=True, on_read=lambda _actual: None)


def _remove_hidden_protection(executor: ResourceExecutor, managed: ManagedResource) -> None:
    """Remove a protection that `read` does not show; nothing can be waited for."""
    client = executor.resource_calls.client(managed)
    executor.resource_calls.call(lambda: managed.type.remove_protection(client, managed.spec), managed, "update")


def _with_members(current: Any, members: Any) -> Any:
    """Return the property with the members that switch the protection off; a plain value is replaced."""
    return {**current, **members} if isinstance(current, Mapping) and isinstance(members, Mapping) else members
