"""The base class of resource types: the calls that create, read, update and delete a resource in AWS."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.beats import Beat
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.private import masked
from provisioner.engine.refs import Doc, dig
from provisioner.engine.refused import Holder, Refusal
from provisioner.engine.traits import Traits
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
    props: Doc = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    token: str = ""
    excluded_ids: frozenset[str] = frozenset()
    # AWS's reply to the create or update, while the same run waits for the resource to become ready.
    reply: Doc = field(default_factory=dict)
    # The result of `standing`, right before an update that replaces the whole resource.
    live: Doc = field(default_factory=dict)


class Kind(Traits):
    """A resource type: how AWS does one kind of resource; its data is declared in `Traits`."""

    @abstractmethod
    def read(self, client: Any, spec: ResourceSpec) -> Doc | None:
        """Return the actual properties, found by id, else by name or tags; None if it does not exist."""

    def others(self, client: Any, spec: ResourceSpec) -> list[Doc]:
        """Return further resources with the same tags; called for a resource that the state does not know."""
        return []

    @abstractmethod
    def create(self, client: Any, spec: ResourceSpec) -> Doc:
        """Create the resource by exactly one mutating call, and return AWS's reply in the shape of `read`."""

    def bring_back(self, client: Any, spec: ResourceSpec) -> Doc | None:
        """Restore a deleted resource of this stack that AWS still holds (`returns`), by one mutating call.

        Return AWS's reply in the shape of `read`, or None if there is nothing to restore.
        """
        return None

    def standing(self, client: Any, spec: ResourceSpec) -> Doc | None:
        """Return the actual properties, with the ETag or lock token that the next `update` must carry."""
        return self.read(client, spec)

    def update(self, client: Any, spec: ResourceSpec, changed: Doc) -> Doc | None:
        """Change the properties `changed` to the desired values; safe to repeat.

        Return what `read` needs to follow the change, or None. If the call replaces a whole document
        (`replaces`), `spec` and `changed` are merged with the actual one before.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot change in place")

    def observe(self, client: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Return `doc`, the result of `read`, with those members of its `states` that need a further call."""
        return doc

    def retag(self, client: Any, spec: ResourceSpec, put: Mapping[str, str], drop: Iterable[str]) -> None:
        """Set the tags `put` and remove the tags `drop`; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} carries no tags")

    def extras(self, client: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the unmanaged children of the resource; `inside` holds the children that are known."""
        return []

    def remove(self, client: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Delete one unmanaged child; safe to repeat."""
        raise NotImplementedError(f"{type(self).__name__} keeps what lies in it")

    def keeps(self, client: Any, spec: ResourceSpec) -> str:
        """Ask AWS for whose sake the resource must outlive the stack, in words; "" if it may be deleted."""
        return ""

    def leaves(self, doc: Doc) -> str:
        """Return what AWS created beside the resource and will not delete with it, in words; else ""."""
        return ""

    def outlives(self, props: Doc) -> str:
        """Return why the resource is retained, as its properties tell without a call; "" if it is not."""
        return ""

    @abstractmethod
    def delete(self, client: Any, spec: ResourceSpec) -> None:
        """Start the deletion; safe to repeat."""

    def last_will(self, kept: Doc, declared: Doc) -> Doc:
        """Return the options of the deletion that AWS does not store, such as a final snapshot.

        `kept` holds the properties of the last apply, `declared` those that are declared now.
        """
        return {key: declared[key] for key in self.unread if key in declared}

    def lost(self, props: Doc) -> str:
        """Return which data a deletion loses for good, in words; "" for none."""
        return ""

    def failure(self, client: Any, spec: ResourceSpec, doc: Doc) -> ProvisionerError:
        """Return the error for a resource that AWS reports as failed, with the reason that AWS gives."""
        return ProvisionerError(f"AWS says that {spec.aws_name or spec.logical_id} failed: {masked(doc)}")

    def changes(self, seen: Doc, wanted: Doc) -> int:
        """Return how many changes AWS counts from the actual to the desired properties (for cooldowns)."""
        return 1

    def deceives(self, client: Any, spec: ResourceSpec, since: float) -> bool:
        """Return whether a resource that looks ready is not what was asked for at the second `since`.

        For example, an ECS service is steady again after a failed deployment. It is called once.
        """
        return False

    def holders(self, client: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the blockers that keep AWS from deleting the resource; empty if AWS does not report any."""
        return []

    def about(self, doc: Doc) -> str:
        """Return a description of another owner's resource, for types without tags; else ""."""
        return ""

    def asks(self, doc: Doc) -> str:
        """Return what a person has to do before the resource can become ready, in words; "" for nothing."""
        return ""

    def under_way(self, doc: Doc, wanted: Doc) -> str:
        """Return which operation AWS is carrying out on the resource, and for whom, in words; "" for none.

        `wanted` holds the properties that the last run of this state asked for.
        """
        return ""

    def takes_more(self, doc: Doc) -> float:
        """Return the seconds by which this resource is configured to take longer; added to the timeout."""
        return 0.0

    def lasts(self, doc: Doc) -> str:
        """Return until when AWS goes on returning a deleted resource; "" if that is not known."""
        return ""

    def at_first(self, wanted: Doc, led: Set[str], former: Mapping[str, str]) -> Doc:
        """Return the properties to create a resource with that sends no requests to anything yet.

        `led` holds the ids of the target groups that receive traffic now. `former` maps the id of each new
        one to the id of the one whose traffic it takes over.
        """
        return wanted

    def during(self, beat: Beat, wanted: Doc, seen: Doc, led: Set[str]) -> Doc:
        """Return the desired properties in one phase of a cutover; a phase that has passed changes nothing.

        A resource that refers to a replaced one refers to both until the new one serves the traffic. `led`
        holds the ids that receive traffic now.
        """
        return wanted

    def refuses(self, client: Any, doc: Doc, changed: Set[str]) -> list[Refusal]:
        """Return why AWS would refuse an update of the properties `changed`, given the actual properties."""
        return []

    def protections(self, client: Any, spec: ResourceSpec) -> list[str]:
        """Return the deletion protections that `read` does not show and `lift` removes, in words."""
        return []

    def lift(self, client: Any, spec: ResourceSpec) -> None:
        """Remove the deletion protections that `protections` returns; safe to repeat."""

    def deletion_protected(self, client: Any, spec: ResourceSpec, doc: Doc) -> Doc:
        """Return `doc` with the fields of `unprotected_by` if a protection that `read` does not show is on.

        Return {} if there is none.
        """
        return {}

    def write_protections(self, client: Any, wanted: Doc, seen: Doc) -> list[Refusal]:
        """Return the protections because of which AWS would refuse to create or update the resource.

        `wanted` holds the desired properties; `seen` the actual ones, empty for a create.
        """
        return []

    def relies_on(self, doc: Doc) -> Mapping[str, Refusal]:
        """Return the other resources that this one cannot do without, by id, each with why and what to do."""
        return {}

    def leads(self, doc: Doc) -> Iterable[str]:
        """Return the ids of the resources that this one sends requests to, given its actual properties."""
        return ()

    def stand_ins(self, doc: Doc) -> Mapping[str, str]:
        """Map the id of a declared target group to the id of the one that has its traffic.

        Such a move is made by another owner of the field, such as an ECS deployment strategy.
        """
        return {}

    def parting(self, old: Doc, new: Doc) -> Doc:
        """Return the changes to a replaced resource that keep the servers of the new one healthy in it.

        `old` and `new` are the properties of the two. Empty if nothing must change.
        """
        return {}

    def canonical(self, doc: Doc) -> Doc:
        """Return `doc` with values that AWS rewrites brought to one form; applied to both sides of a diff."""
        return doc

    def id_of(self, doc: Doc) -> str:
        """Return the id of a resource, given the result of `read`."""
        paths = (self.key,) if isinstance(self.key, str) else self.key
        return "|".join(str(dig(doc, path)) for path in paths)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return type(self).__name__
