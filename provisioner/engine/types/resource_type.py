"""The base class of resource types: the calls that create, read, update and delete a resource in AWS."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject, value_at
from provisioner.engine.resource_graph.sensitive import mask
from provisioner.engine.types.blocker import Blocker, Refusal
from provisioner.engine.types.data import CutoverPhase, ResourceTypeData
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from state.errors import ProvisionerError


@dataclass(frozen=True)
class ResourceSpec:
    """One resource as the methods of its type get it: references resolved, name and tags filled in.

    `id` is empty until it is known. `token` is the same for all attempts at one create. `excluded_ids` holds the
    ids of other resources that a search by name or tags must not return.
    """

    logical_id: str
    aws_name: str
    suffix: str
    props: JsonObject = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    token: str = ""
    excluded_ids: frozenset[str] = frozenset()
    # AWS's reply to the create or update, while the same run waits for the resource to become ready.
    reply: JsonObject = field(default_factory=dict)
    # The result of `read_before_replace`, right before an update that replaces the whole resource.
    live: JsonObject = field(default_factory=dict)


class ResourceType(ResourceTypeData):
    """A resource type: how AWS does one kind of resource; its data is declared in `ResourceTypeData`."""

    @abstractmethod
    def read(self, client: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the actual properties, found by id, else by name or tags; None if it does not exist."""

    def find_siblings(self, client: Any, spec: ResourceSpec) -> list[JsonObject]:
        """Return further resources with the same tags; called for a resource that the state does not know."""
        return []

    @abstractmethod
    def create(self, client: Any, spec: ResourceSpec) -> JsonObject:
        """Create the resource by exactly one mutating call, and return AWS's reply in the shape of `read`."""

    def restore(self, client: Any, spec: ResourceSpec) -> JsonObject | None:
        """Restore a deleted resource of this stack that AWS still holds (`restorable`), by one mutating call.

        Return AWS's reply in the shape of `read`, or None if there is nothing to restore.
        """
        return None

    def read_before_replace(self, client: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the actual properties, with the ETag or lock token that the next `update` must carry."""
        return self.read(client, spec)

    def update(self, client: Any, spec: ResourceSpec, changed: JsonObject) -> JsonObject | None:
        """Change the properties `changed` to the desired values; safe to repeat.

        Return what `read` needs to follow the change, or None. If the call replaces a whole document
        (`replacing_calls`), `spec` and `changed` are merged with the actual one before.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot change in place")

    def read_status(self, client: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return `actual`, the result of `read`, with those status members that need a further call."""
        return actual

    def retag(self, client: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set the tags `put` and remove the tags `drop`; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} carries no tags")

    def unmanaged(
        self, client: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren
    ) -> list[Unmanaged]:
        """Return the unmanaged children of the resource; `children` holds the children that are known."""
        return []

    def remove_unmanaged(self, client: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete one unmanaged child; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} keeps what lies in it")

    def retention_reason(self, client: Any, spec: ResourceSpec) -> str:
        """Ask AWS for whose sake the resource must outlive the stack, in words; "" if it may be deleted."""
        return ""

    def leftovers(self, actual: JsonObject) -> str:
        """Return what AWS created beside the resource and will not delete with it, in words; else ""."""
        return ""

    def declared_retention_reason(self, props: JsonObject) -> str:
        """Return why the resource is retained, as its properties tell without a call; "" if it is not."""
        return ""

    @abstractmethod
    def delete(self, client: Any, spec: ResourceSpec) -> None:
        """Start the deletion; safe to repeat."""

    def delete_list(self, client: Any, specs: list[ResourceSpec]) -> None:
        """Start the deletion of several resources in the same container by one call (`deleted_in_lists`)."""
        raise NotImplementedError(f"{type(self).__name__} are deleted one by one")

    def delete_options(self, kept: JsonObject, declared: JsonObject) -> JsonObject:
        """Return the options of the deletion that AWS does not store, such as a final snapshot.

        `kept` holds the properties of the last apply, `declared` those that are declared now.
        """
        return {key: declared[key] for key in self.write_only if key in declared}

    def data_loss(self, props: JsonObject) -> str:
        """Return which data a deletion loses for good, in words; "" for none."""
        return ""

    def failure(self, client: Any, spec: ResourceSpec, actual: JsonObject) -> ProvisionerError:
        """Return the error for a resource that AWS reports as failed, with the reason that AWS gives."""
        return ProvisionerError(f"AWS says that {spec.aws_name or spec.logical_id} failed: {mask(actual)}")

    def change_count(self, actual: JsonObject, desired: JsonObject) -> int:
        """Return how many changes AWS counts from the actual to the desired properties (for cooldowns)."""
        return 1

    def is_stale(self, client: Any, spec: ResourceSpec, since: float) -> bool:
        """Return whether a resource that looks ready is not what was asked for at the second `since`.

        For example, an ECS service is steady again after a failed deployment. It is called once.
        """
        return False

    def blockers(self, client: Any, spec: ResourceSpec) -> list[Blocker]:
        """Return the blockers that keep AWS from deleting the resource; empty if AWS does not report any."""
        return []

    def describe_foreign(self, actual: JsonObject) -> str:
        """Return a description of another owner's resource, for types without tags; else ""."""
        return ""

    def required_action(self, actual: JsonObject) -> str:
        """Return what a person has to do before the resource can become ready, in words; "" for nothing."""
        return ""

    def operation_in_progress(self, actual: JsonObject, desired: JsonObject) -> str:
        """Return which operation AWS is carrying out on the resource, and for whom, in words; "" for none.

        `desired` holds the properties that the last run of this state asked for.
        """
        return ""

    def extra_seconds(self, actual: JsonObject) -> float:
        """Return the seconds by which this resource is configured to take longer; added to the timeout."""
        return 0.0

    def visible_until(self, actual: JsonObject) -> str:
        """Return until when AWS goes on returning a deleted resource; "" if that is not known."""
        return ""

    def initial_properties(self, desired: JsonObject, serving: Set[str], deposed: Mapping[str, str]) -> JsonObject:
        """Return the properties to create a resource with that sends no requests to anything yet.

        `serving` holds the ids of the target groups that receive traffic now. `deposed` maps the id of each new
        one to the id of the one whose traffic it takes over.
        """
        return desired

    def properties_at(
        self, phase: CutoverPhase, desired: JsonObject, actual: JsonObject, serving: Set[str]
    ) -> JsonObject:
        """Return the desired properties in one phase of a cutover; a phase that has passed changes nothing.

        A resource that refers to a replaced one refers to both until the new one serves the traffic. `serving`
        holds the ids that receive traffic now.
        """
        return desired

    def refusals(self, client: Any, actual: JsonObject, changed: Set[str]) -> list[Refusal]:
        """Return why AWS would refuse an update of the properties `changed`, given the actual properties."""
        return []

    def protections(self, client: Any, spec: ResourceSpec) -> list[str]:
        """Return the deletion protections that `read` does not show and `remove_protection` removes, in words."""
        return []

    def remove_protection(self, client: Any, spec: ResourceSpec) -> None:
        """Remove the deletion protections that `protections` returns; safe to repeat."""

    def deletion_protected(self, client: Any, spec: ResourceSpec, actual: JsonObject) -> JsonObject:
        """Return `actual` with the fields of `unprotect_command` if a protection that `read` does not show is on.

        Return {} if there is none.
        """
        return {}

    def write_protections(self, client: Any, desired: JsonObject, actual: JsonObject) -> list[Refusal]:
        """Return the protections because of which AWS would refuse to create or update the resource.

        `desired` holds the desired properties; `actual` the actual ones, empty for a create.
        """
        return []

    def required_resources(self, actual: JsonObject) -> Mapping[str, Refusal]:
        """Return the other resources that this one cannot do without, by id, each with why and what to do."""
        return {}

    def routes_to(self, actual: JsonObject) -> Iterable[str]:
        """Return the ids of the resources that this one sends requests to, given its actual properties."""
        return ()

    def replacement_targets(self, actual: JsonObject) -> Mapping[str, str]:
        """Map the id of a declared target group to the id of the one that has its traffic.

        Such a move is made by another owner of the field, such as an ECS deployment strategy.
        """
        return {}

    def deposed_properties(self, old: JsonObject, new: JsonObject) -> JsonObject:
        """Return the changes to a replaced resource that keep the servers of the new one healthy in it.

        `old` and `new` are the properties of the two. Empty if nothing must change.
        """
        return {}

    def normalize(self, actual: JsonObject) -> JsonObject:
        """Return `actual` with values that AWS rewrites brought to one form; applied to both sides of a diff."""
        return actual

    def id_of(self, actual: JsonObject) -> str:
        """Return the id of a resource, given the result of `read`."""
        paths = (self.id_paths,) if isinstance(self.id_paths, str) else self.id_paths
        return "|".join(str(value_at(actual, path)) for path in paths)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return type(self).__name__
