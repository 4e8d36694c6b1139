"""A resource that is being worked on, and the reads of its actual properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError
from tenacity import stop_after_delay

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import code_of, is_unsupported_operation
from provisioner.engine.calls.polling import wait_while_hidden
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.emulated_properties import properties_as_on_aws
from provisioner.engine.resource_graph.references import JsonObject, Lookup, Unknown
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChild, KnownChildren, Unmanaged
from state.stack_state import ResourceState


@dataclass(frozen=True)
class ManagedResource:
    """A resource that is being worked on: its type, its region, and the `ResourceSpec` for the type's methods."""

    type: ResourceType
    spec: ResourceSpec
    region: str = ""
    depends_on: tuple[str, ...] = ()
    step: str = ""
    lookup: Lookup = Unknown
    # The resources that contain it, if it is to be deleted and their ids are only names.
    parents: tuple[ManagedResource, ...] = ()
    # Seconds to wait for it; None for the timeout of its type.
    timeout_override: float | None = None

    @property
    def timeout(self) -> float:
        """The timeout in seconds: how long to wait until the resource is ready."""
        return self.type.timeout if self.timeout_override is None else self.timeout_override

    def with_id(self, id_: str) -> ManagedResource:
        """Return the resource with this id."""
        return replace(self, spec=replace(self.spec, id=id_))

    def with_reply(self, id_: str, reply: JsonObject) -> ManagedResource:
        """Return the resource with this id and AWS's reply, after this run has created or changed it."""
        return replace(self, spec=replace(self.spec, id=id_, reply=reply))

    def with_props(self, props: JsonObject) -> ManagedResource:
        """Return the resource with other desired properties."""
        return replace(self, spec=replace(self.spec, props=props))

    def with_tags(self, tags: Mapping[str, str]) -> ManagedResource:
        """Return the resource with further tags."""
        return replace(self, spec=replace(self.spec, tags={**self.spec.tags, **tags}))

    @property
    def description(self) -> str:
        """The resource type and name, for messages."""
        return f"{self.type} {self.spec.aws_name or self.spec.logical_id}"


# Seconds for which AWS's reads may miss a resource that exists.
CONSISTENCY_SECONDS = 60.0


def consistency_seconds_left(clients: Clients, created_at: float) -> float:
    """Return the seconds for which reads may still miss a resource made at the wall-clock second `created_at`.

    If answers are shared, the time counts from the earliest moment at which one may have been given.
    """
    window = clients.aws.consistency_window(CONSISTENCY_SECONDS)
    seconds_left = created_at + window - (clients.since or clients.clock.wall())
    return max(0.0, min(seconds_left, window)) if created_at else 0.0


def is_unsupported_call(clients: Clients, managed: ManagedResource, error: BaseException) -> bool:
    """Return whether an error means that an emulator does not know the call; always False on AWS."""
    return is_unsupported_operation(error) and clients.aws.is_emulated(managed.type.service, managed.region)


def read(clients: Clients, managed: ManagedResource) -> JsonObject | None:
    """Return the actual properties; None if the resource, or the one that contains it, does not exist.

    None is also returned if an emulator does not support the resource type, or if the id is in `excluded_ids`.
    """
    client = clients.client(managed.type.service, managed.region)
    try:
        actual = managed.type.read(client, managed.spec)
    except (ClientError, UnsupportedOperation) as error:
        if code_of(error) in managed.type.not_found_codes or is_unsupported_call(clients, managed, error):
            return None
        raise
    return None if actual is not None and managed.type.id_of(actual) in managed.spec.excluded_ids else actual


def read_recorded(
    clients: Clients, managed: ManagedResource, resource_state: ResourceState | None
) -> JsonObject | None:
    """Return the actual properties of a resource that the state knows by `resource_state`, if there is an entry.

    On an emulator of others, properties that it does not return are taken from the recorded state, and its
    own defaults are left out.
    """
    if resource_state and resource_state.recorded is not None and is_unsupported(clients, managed):
        return {**resource_state.recorded, **_own_tags(managed)}
    if resource_state is None or clients.aws.is_faithful:
        return _read_consistently(clients, managed, resource_state.created_at if resource_state else 0.0)
    actual = _read_consistently(clients, managed, 0.0 if managed.type.account_wide else resource_state.created_at)
    # An account-wide resource can be used under whatever name the emulator gave it.
    return (
        _with_recorded(managed, actual, resource_state)
        if actual
        else resource_state.recorded
        if managed.type.account_wide
        else None
    )


def is_unsupported(clients: Clients, managed: ManagedResource) -> bool:
    """Return whether an emulator does not support the resource; makes one read, and only on emulators."""
    if not clients.aws.is_emulated(managed.type.service, managed.region):
        return False
    try:
        managed.type.read(clients.client(managed.type.service, managed.region), managed.spec)
    except (ClientError, UnsupportedOperation) as error:
        return is_unsupported_call(clients, managed, error)
    return False


def _with_recorded(managed: ManagedResource, actual: JsonObject, resource_state: ResourceState) -> JsonObject:
    """Return what an emulator reports, in the form in which AWS would, with its tags."""
    if resource_state.recorded is None or resource_state.id != managed.type.id_of(actual):
        return actual
    tags = {} if actual.get("Tags") else _own_tags(managed)
    return {**properties_as_on_aws(managed.type.ownership, actual, resource_state.recorded, managed.spec.props), **tags}


def _own_tags(managed: ManagedResource) -> JsonObject:
    return {"Tags": dict(managed.spec.tags)} if managed.type.tagged else {}


def _read_consistently(clients: Clients, managed: ManagedResource, created_at: float) -> JsonObject | None:
    """Return the actual properties; read again while AWS may still miss what it made at second `created_at`.

    An older resource that is not found is read once more, because one miss does not prove a deletion.
    """
    unshared = clients.without_shared_reads()
    # Taken before the read: a resource that the read misses may be visible when the read ends.
    seconds_left = consistency_seconds_left(clients, created_at)
    actual = read(clients, managed)
    if actual is not None or not managed.spec.id:
        return actual
    if seconds_left:
        policy = RetryPolicy(unshared.clock, stop_after_delay(seconds_left), wait=wait_while_hidden(seconds_left))
        return policy.poll(lambda: read(unshared, managed))
    return read(unshared, managed)


def with_status_reads(clients: Clients, managed: ManagedResource, actual: JsonObject, created_at: float) -> JsonObject:
    """Return the actual properties with those members of the status that need a further call.

    No call is made for a deposed resource, nor on an emulator that forgets properties. If the plan of the
    type depends on that call, it is made only once AWS must show a resource created at the wall-clock second
    `created_at`: a resource that the call misses would be created again.
    """
    if "~" in managed.spec.logical_id or not clients.aws.is_faithful:
        return actual
    if managed.type.plans_with_status_reads and consistency_seconds_left(clients, created_at):
        return actual
    try:
        return managed.type.read_status(clients.client(managed.type.service, managed.region), managed.spec, actual)
    except ClientError as error:
        if code_of(error) in managed.type.not_found_codes:
            return actual
        raise


def unmanaged_in(
    clients: Clients, managed: ManagedResource, actual: JsonObject, known_children: Iterable[KnownChild]
) -> list[Unmanaged]:
    """Return the unmanaged children of a resource, given the known ones; none if it was deleted meanwhile."""
    client = clients.client(managed.type.service, managed.region)
    with user_errors(f"looking into {managed.description}"):
        try:
            return managed.type.unmanaged(
                client, managed.spec, actual, KnownChildren.of(managed.spec.id, known_children)
            )
        except (ClientError, UnsupportedOperation) as error:
            if code_of(error) in managed.type.not_found_codes or is_unsupported_call(clients, managed, error):
                return []
            raise
