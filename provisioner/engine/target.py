"""A resource that is being worked on, and the reads of its actual properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.emulators import as_on_aws
from provisioner.engine.explain import explained
from provisioner.engine.extras import Extra, Inside, Part
from provisioner.engine.faults import code_of, is_unknown_call
from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc, Lookup, Unknown
from provisioner.engine.waits import until
from state.stack_state import ResourceState


@dataclass(frozen=True)
class Target:
    """A resource that is being worked on: its type, its region, and the `Item` for the type's methods."""

    kind: Kind
    it: Item
    region: str = ""
    needs: tuple[str, ...] = ()
    piece: str = ""
    lookup: Lookup = Unknown
    # The resources that contain it, if it is to be deleted and their ids are only names.
    hosts: tuple[Target, ...] = ()
    # Seconds to wait for it; None for the timeout of its type.
    waits: float | None = None

    @property
    def patience(self) -> float:
        """The timeout in seconds: how long to wait until the resource is ready."""
        return self.kind.patience if self.waits is None else self.waits

    def with_id(self, id_: str) -> Target:
        """Return the resource with this id."""
        return replace(self, it=replace(self.it, id=id_))

    def made(self, id_: str, reply: Doc) -> Target:
        """Return the resource with this id and AWS's reply, after this run has created or changed it."""
        return replace(self, it=replace(self.it, id=id_, reply=reply))

    def shaped(self, props: Doc) -> Target:
        """Return the resource with other desired properties."""
        return replace(self, it=replace(self.it, props=props))

    def bearing(self, tags: Mapping[str, str]) -> Target:
        """Return the resource with further tags."""
        return replace(self, it=replace(self.it, tags={**self.it.tags, **tags}))

    @property
    def words(self) -> str:
        """The resource type and name, for messages."""
        return f"{self.kind} {self.it.name or self.it.node}"


# Seconds for which AWS's reads may miss a resource that exists.
HIDES = 60.0


def still_hides(clients: Clients, made: float) -> float:
    """Return the seconds for which reads may still miss a resource made at the wall-clock second `made`.

    If answers are shared, the time counts from the earliest moment at which one may have been given.
    """
    window = clients.aws.hides(HIDES)
    left = made + window - (clients.since or clients.clock.wall())
    return max(0.0, min(left, window)) if made else 0.0


def lacks(clients: Clients, target: Target, error: BaseException) -> bool:
    """Return whether an error means that an emulator does not know the call; always False on AWS."""
    return is_unknown_call(error) and clients.aws.is_emulated(target.kind.service, target.region)


def read(clients: Clients, target: Target) -> Doc | None:
    """Return the actual properties; None if the resource, or the one that contains it, does not exist.

    None is also returned if an emulator does not support the resource type, or if the id is in `shunned`.
    """
    client = clients.client(target.kind.service, target.region)
    try:
        doc = target.kind.read(client, target.it)
    except (ClientError, UnknownCall) as error:
        if code_of(error) in target.kind.absent or lacks(clients, target, error):
            return None
        raise
    return None if doc is not None and target.kind.id_of(doc) in target.it.shunned else doc


def look(shared: Clients, target: Target, resource_state: ResourceState | None) -> Doc | None:
    """Return the actual properties of a resource that the state knows by `resource_state`, if there is an entry.

    On an emulator of others, properties that it does not return are taken from the recorded state, and its
    own defaults are left out.
    """
    if resource_state and resource_state.recorded is not None and is_lacking(shared, target):
        return {**resource_state.recorded, **_own_tags(target)}
    if resource_state is None or shared.aws.echoes:
        return _look(shared, target, resource_state.created_at if resource_state else 0.0)
    doc = _look(shared, target, 0.0 if target.kind.shared else resource_state.created_at)
    # An account-wide resource can be used under whatever name the emulator gave it.
    return _recalled(target, doc, resource_state) if doc else resource_state.recorded if target.kind.shared else None


def is_lacking(clients: Clients, target: Target) -> bool:
    """Return whether an emulator does not support the resource; makes one read, and only on emulators."""
    if not clients.aws.is_emulated(target.kind.service, target.region):
        return False
    try:
        target.kind.read(clients.client(target.kind.service, target.region), target.it)
    except (ClientError, UnknownCall) as error:
        return lacks(clients, target, error)
    return False


def _recalled(target: Target, doc: Doc, resource_state: ResourceState) -> Doc:
    """Return what an emulator reports, in the form in which AWS would, with its tags."""
    if resource_state.recorded is None or resource_state.id != target.kind.id_of(doc):
        return doc
    borne = {} if doc.get("Tags") else _own_tags(target)
    return {**as_on_aws(target.kind.members, doc, resource_state.recorded, target.it.props), **borne}


def _own_tags(target: Target) -> Doc:
    return {"Tags": dict(target.it.tags)} if target.kind.tagged else {}


def _look(shared: Clients, target: Target, made: float) -> Doc | None:
    """Return the actual properties; read again while AWS may still miss what it made at second `made`.

    An older resource that is not found is read once more, because one miss does not prove a deletion.
    """
    anew = shared.anew()
    # Taken before the read: a resource that the read misses may be visible when the read ends.
    left = still_hides(shared, made)
    doc = read(shared, target)
    if doc is not None or not target.it.id:
        return doc
    if left:
        return until(lambda: read(anew, target), clock=anew.clock, due=0, patience=left, hidden=left)
    return read(anew, target)


def observed(clients: Clients, target: Target, doc: Doc, made: float) -> Doc:
    """Return the actual properties with those members of the status that need a further call.

    No call is made for a deposed resource, nor on an emulator that forgets properties. If the plan of the
    type depends on that call, it is made only once AWS must show a resource created at the wall-clock second
    `made`: a resource that the call misses would be created again.
    """
    if "~" in target.it.node or not clients.aws.echoes:
        return doc
    if target.kind.decided_by_observation and still_hides(clients, made):
        return doc
    try:
        return target.kind.observe(clients.client(target.kind.service, target.region), target.it, doc)
    except ClientError as error:
        if code_of(error) in target.kind.absent:
            return doc
        raise


def extras_in(clients: Clients, target: Target, doc: Doc, parts: Iterable[Part]) -> list[Extra]:
    """Return the unmanaged children of a resource, given the known ones; none if it was deleted meanwhile."""
    client = clients.client(target.kind.service, target.region)
    with explained(f"looking into {target.words}"):
        try:
            return target.kind.extras(client, target.it, doc, Inside.of(target.it.id, parts))
        except (ClientError, UnknownCall) as error:
            if code_of(error) in target.kind.absent or lacks(clients, target, error):
                return []
            raise
