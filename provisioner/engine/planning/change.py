"""The change planned for one resource, and the changes of resources that are no longer declared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from provisioner.engine.planning.diff import Difference
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import redact, secrets_in
from provisioner.engine.types.resource_type import ResourceType
from provisioner.engine.types.unmanaged import Unmanaged
from state.stack_state import ResourceState

Action = Literal["keep", "create", "finish", "update", "replace", "delete", "release", "refuse"]


@dataclass(frozen=True)
class Change:
    """The action planned for one resource, and why."""

    action: Action = field(metadata={"json": "verb"})
    logical_id: str = field(metadata={"json": "node"})
    type_name: str = field(metadata={"json": "kind"})
    aws_name: str = field(metadata={"json": "name"})
    step: str = field(metadata={"json": "piece"})
    id: str = ""
    differences: tuple[Difference, ...] = ()
    # Differences in fields that another owner holds: left as they are.
    external: tuple[Difference, ...] = field(default=(), metadata={"json": "held"})
    # The unmanaged children that are removed.
    unmanaged: tuple[Unmanaged, ...] = field(default=(), metadata={"json": "extras"})
    reason: str = field(default="", metadata={"json": "why"})
    adopts: bool = False
    foreign: bool = False
    # What a person does about a refusal, where the resource type knows it.
    remedy: str = ""
    # Whether the replaced resource is kept beside the new one.
    retains_replaced: bool = field(default=False, metadata={"json": "keeps"})
    # The data that is lost for good by it, in words.
    data_loss: str = field(default="", metadata={"json": "loses"})

    @property
    def changes_aws(self) -> bool:
        """Whether carrying it out makes a mutating call."""
        return self.action in ("create", "update", "replace", "delete")


def delete_change(
    logical_id: str, resource_state: ResourceState, resource_type: ResourceType, why: str = "no longer declared"
) -> Change:
    """Return the change of a resource that is no longer declared: it is deleted, or the state releases it."""
    change = Change(
        "delete",
        logical_id,
        resource_state.type_name,
        resource_state.aws_name,
        resource_state.step,
        resource_state.id,
        reason=why,
    )
    stays = resource_type.declared_retention_reason(redact(resource_state.desired))
    if stays:
        return replace(change, action="release", reason=f"{why}; it stays: {stays}")
    return replace(change, data_loss=resource_type.data_loss(redact(resource_state.desired)))


def retain_change(logical_id: str, resource_state: ResourceState) -> Change:
    """Return the change of an undeclared resource that stays, as what was created with it still needs it."""
    return Change(
        "keep", logical_id, resource_state.type_name, resource_state.aws_name, resource_state.step, resource_state.id
    )


def with_unmanaged(change: Change, unmanaged: tuple[Unmanaged, ...]) -> Change:
    """Return the change, extended by the removal of unmanaged children."""
    if not unmanaged or change.action not in ("keep", "finish", "update"):
        return change
    return replace(
        change, action="update", unmanaged=unmanaged, reason="" if change.action == "keep" else change.reason
    )


def require_secret_inputs(resource: Resource, change: Change) -> Change:
    """Return the creation of a resource, refused where the user has not given a secret that it needs."""
    missing = (secret.missing_input() for secret in secrets_in(resource.props))
    reason, remedy = next((reason_and_remedy for reason_and_remedy in missing if reason_and_remedy[0]), ("", ""))
    if not reason:
        return change
    return replace(change, action="refuse", reason="; ".join(filter(None, (change.reason, reason))), remedy=remedy)


def note_unused_secret_inputs(resource: Resource, change: Change) -> Change:
    """Return the change of a restored resource, with a note on secrets that the user gave for a new one."""
    unused = filter(None, (secret.unused_input() for secret in secrets_in(resource.props)))
    return replace(change, reason="; ".join((change.reason, *unused)))
