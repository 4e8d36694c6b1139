"""The plan of a stack: the change of each resource, and what was read to decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.conflicts import DeletionOrder
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.engine.resource_graph.references import (
    JsonObject,
    Ref,
    Unknown,
    fingerprint_secrets,
    resolve,
    value_at,
)
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from state.findings import NO_FINDINGS, StateFindings
from state.stack_state import ResourceState, StackState

ResourceTypes = Mapping[str, ResourceType]


@dataclass
class Plan:
    """The change of each resource, and its actual properties, by logical id."""

    stack: Stack
    # The state with the findings of this plan; a copy, so that a plan changes nothing.
    state: StackState
    changes: dict[str, Change] = field(default_factory=dict)
    actual: dict[str, JsonObject] = field(default_factory=dict)
    # The actual properties of deleted resources that will be restored and keep their values.
    restorable: dict[str, JsonObject] = field(default_factory=dict)
    # Undeclared resources that are deleted early: by each new resource those whose place it takes, and by each
    # of these its dependents, which are deleted before it.
    delete_before: DeletionOrder = field(default_factory=dict)
    delete_first: DeletionOrder = field(default_factory=dict)
    # What the run that carries the plan out has to record first.
    findings: StateFindings = NO_FINDINGS
    # Notes that are shown with the plan.
    notes: list[str] = field(default_factory=list)
    # The resources that the emulator does not support.
    unsupported: list[str] = field(default_factory=list)
    # The plan of the whole stack, if this one was narrowed to a selection.
    unfiltered: Plan | None = None

    @property
    def excluded(self) -> set[str]:
        """The resources that are not selected, and so are left as they are."""
        return self.unfiltered.changes.keys() - self.changes.keys() if self.unfiltered else set()

    @property
    def changes_to_make(self) -> list[Change]:
        """The changes that do something: all but those with the action `keep`."""
        return [change for change in self.changes.values() if change.action != "keep"]

    @property
    def unchanged(self) -> set[str]:
        """The resources that are recorded and need no change."""
        return {name for name, change in self.changes.items() if change.action == "keep" and not change.adopts}

    @property
    def adopted(self) -> list[Change]:
        """The changes of resources that belong to the stack and exist, but are not in the state."""
        return [change for change in self.changes.values() if change.adopts]

    @property
    def found(self) -> set[str]:
        """The declared resources that exist and belong to the stack, without account-wide ones."""
        return {
            name
            for name in self.actual
            if not self.changes[name].foreign and not self.stack.resources[name].type.account_wide
        }

    @property
    def refused(self) -> list[Change]:
        """The changes that cannot be made, and so prevent all others."""
        return [change for change in self.changes.values() if change.action == "refuse"]

    @property
    def roles(self) -> set[str]:
        """The account's own roles among the resources: they belong to no stack and are counted separately."""
        return {
            resource.logical_id
            for resource in self.stack
            if resource.type.account_wide and resource.logical_id in self.changes
        }

    def count(self, *actions: str) -> int:
        """Return how many changes have one of these actions, without the account's own roles."""
        return sum(self.changes[name].action in actions for name in self.changes.keys() - self.roles)

    def value_of(self, ref: Ref) -> Any:
        """Return the value of a reference, else `Unknown`.

        An id that is the resource's name is known before the resource exists.
        """
        resource = self.stack.resources[ref.logical_id]
        actual = self.actual.get(ref.logical_id) or self.restorable.get(ref.logical_id)
        if actual is None and ref.path == "id" and resource.type.id_paths == resource.type.name_property:
            return resolve(resource.props[resource.type.name_property], self.value_of)
        if actual is None or self.changes[ref.logical_id].action == "replace":
            return Unknown(ref)
        value = value_at(actual, ref.path)
        return Unknown(ref) if value is None else value

    def resolved_properties(self, resource: Resource) -> JsonObject:
        """Return the declared properties with each reference resolved as far as its value is known."""
        return dict(resolve(resource.props, self.value_of))

    def desired_properties(self, resource: Resource, clients: Clients) -> JsonObject:
        """Return the resolved properties, with each secret in the form that is compared."""
        with user_errors(f"reading what {resource.aws_name or resource.logical_id} is to hold"):
            return dict(fingerprint_secrets(self.resolved_properties(resource), clients, self.value_of))


def managed_resource_of(
    resource: Resource,
    suffix: str,
    resource_state: ResourceState | None,
    desired: JsonObject,
    excluded_ids: frozenset[str] = frozenset(),
) -> ManagedResource:
    """Return the resource to work on for a declared one; a search for it must not return `excluded_ids`."""
    spec = ResourceSpec(
        logical_id=resource.logical_id,
        aws_name=resource.aws_name,
        suffix=suffix,
        props=desired,
        tags=resource.tags,
        id=resource_state.id if resource_state else "",
        excluded_ids=excluded_ids,
    )
    return ManagedResource(
        resource.type,
        spec,
        resource.region,
        tuple(resource.depends_on),
        resource.step,
        timeout_override=resource.timeout,
    )
