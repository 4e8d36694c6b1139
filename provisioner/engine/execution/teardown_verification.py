"""The final check of a teardown: it reads every deleted resource once more, and searches by name and tag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tenacity import stop_after_delay

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.polling import wait_while_hidden
from provisioner.engine.calls.retry_policy import RetryPolicy
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import ManagedResource, consistency_seconds_left, read
from provisioner.engine.execution.scheduler import run_in_parallel
from provisioner.engine.planning.diff import meets_condition
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from state.serialization import as_json
from state.stack_state import Tombstone

_READERS = 8


@dataclass(frozen=True)
class Remnant:
    """A resource of the stack that AWS still has."""

    what: str
    id: str
    reason: str = field(metadata={"json": "why"})
    # Until when AWS keeps it; "" if that is not known.
    until: str = ""


@dataclass
class VerificationReport:
    """The report of the final check: how many resources were read and searched for, and what was found."""

    asked: int = 0
    searches: int = 0
    remaining: list[Remnant] = field(default_factory=list)
    lingering: list[Remnant] = field(default_factory=list)
    kept: list[Remnant] = field(default_factory=list)

    def add_explained(self, kept: list[Remnant], lingering: list[Remnant], leftovers: list[Remnant]) -> None:
        """Add what other searches found, and drop the same resources from those that remain or linger."""
        known = {remnant.id for remnant in (*kept, *lingering, *leftovers)}
        self.lingering = [remnant for remnant in self.lingering if remnant.id not in known] + lingering
        self.kept += kept
        self.remaining = [remnant for remnant in self.remaining if remnant.id not in known] + leftovers

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        result: dict[str, Any] = as_json(self)
        return result


def verify_deleted(
    clients: Clients,
    resource_types: ResourceTypes,
    tombstones: Iterable[Tombstone],
    search: Plan,
    tagged_arns: list[str],
    suffix: str,
) -> VerificationReport:
    """Read each deleted resource once more, and add what a search by name and tag has found.

    A part of a resource that is gone is not read: AWS deleted it with that one.

    Args:
        clients: The clients of the search, which share its answers.
        resource_types: The resource types by name.
        tombstones: The tombstones of the deleted resources.
        search: A plan made without a state, which finds resources by name and tags.
        tagged_arns: The ARNs that still have the stack's tags.
        suffix: The stack.

    """
    report = VerificationReport(searches=len(search.stack.resources) + 1)
    deleted = [tombstone for tombstone in tombstones if not resource_types[tombstone.type_name].account_wide]
    report.asked = len(deleted)
    _read_deleted(clients, resource_types, deleted, suffix, report)
    for name in sorted(search.found):
        change = search.changes[name]
        report.remaining.append(Remnant(change.type_name, change.id, f"found as {change.aws_name or name}"))
    for name, change in search.changes.items():
        if name not in search.stack.resources:
            report.remaining.append(Remnant(change.type_name, change.id, f"found as {change.aws_name or name}"))
    known = {tombstone.id for tombstone in deleted} | {tombstone.aws_name for tombstone in deleted}
    # A resource has several tombstones if several runs found it again and tried to delete it.
    report.remaining = list({(remnant.what, remnant.id): remnant for remnant in report.remaining}.values())
    for arn in tagged_arns:
        if arn not in known and re.split(r"[:/]", arn)[-1] not in known:
            report.lingering.append(Remnant("tagged", arn, "it bears our tags, and is not ours to delete"))
    return report


def _read_deleted(
    clients: Clients, resource_types: ResourceTypes, deleted: list[Tombstone], suffix: str, report: VerificationReport
) -> None:
    """Read each deleted resource after those that contained it, and add what is there to the report."""
    positions = {
        (tombstone.region, tombstone.id): position
        for position, tombstone in enumerate(deleted)
        # A setting has the id of the resource that it is set on, and is absent where that one is there.
        if not resource_types[tombstone.type_name].deleted_with_parent
    }
    containers: dict[int, set[int]] = {}
    for position, tombstone in enumerate(deleted):
        named = str(tombstone.desired.get(resource_types[tombstone.type_name].container_property, ""))
        containers[position] = {positions[key] for key in [(tombstone.region, named)] if key in positions} - {position}
    gone = set[int]()
    # The search's answers prove that an id that AWS chose is gone. A name can come back, made again by a service that
    # wrote while it ended, and AWS may hide that at first: names are asked for once more, after all else.
    later = clients.without_shared_reads().with_shared_reads(clients.batch_scope)

    def check(position: int) -> None:
        tombstone = deleted[position]
        resource_type = resource_types[tombstone.type_name]
        if containers[position] & gone:
            gone.add(position)
            return
        with user_errors(f"asking for {tombstone.type_name} {tombstone.id}"):
            reader = later if _is_named(resource_type) else clients
            actual = _read_until_gone(reader, _deleted_resource(resource_types, tombstone, suffix), tombstone)
        if actual is None or meets_condition(actual, resource_type.deleted):
            gone.add(position)
        _add_result(report, resource_type, tombstone, actual)

    run_in_parallel(containers, check, workers=_READERS)


def _is_named(resource_type: ResourceType) -> bool:
    """Return whether the id of a resource is its name, so that another one can have it."""
    return resource_type.id_is_name or resource_type.id_paths == resource_type.name_property


def _read_until_gone(clients: Clients, managed: ManagedResource, tombstone: Tombstone) -> JsonObject | None:
    """Return the actual properties of a deleted resource; read again while AWS may still show it."""
    resource_type, actual = managed.type, read(clients, managed)
    seconds = consistency_seconds_left(clients, tombstone.deleted_at)
    if not seconds or _has_ended(resource_type, actual):
        return actual
    unshared = clients.without_shared_reads()

    def probe() -> bool | None:
        nonlocal actual
        actual = read(unshared, managed)
        return True if _has_ended(resource_type, actual) else None

    RetryPolicy(clients.clock, stop_after_delay(seconds), wait=wait_while_hidden(seconds)).poll(probe)
    return actual


def _has_ended(resource_type: ResourceType, actual: JsonObject | None) -> bool:
    """Return whether a resource is gone, or AWS only shows it for a while."""
    return (
        actual is None
        or meets_condition(actual, resource_type.deleted)
        or meets_condition(actual, resource_type.expiring)
    )


def _add_result(
    report: VerificationReport, resource_type: ResourceType, tombstone: Tombstone, actual: JsonObject | None
) -> None:
    # Nothing is reported for a resource that AWS no longer returns.
    if meets_condition(actual, resource_type.expiring):
        report.lingering.append(Remnant(tombstone.type_name, tombstone.id, resource_type.expiring_reason))
    elif (
        actual is not None
        and meets_condition(actual, resource_type.deleted)
        and (until := resource_type.visible_until(actual))
    ):
        report.lingering.append(
            Remnant(tombstone.type_name, tombstone.id, "it is gone, and AWS still tells of it", until)
        )
    elif actual is not None and not meets_condition(actual, resource_type.deleted):
        report.remaining.append(Remnant(tombstone.type_name, tombstone.id, "it was deleted, and is there"))


def _deleted_resource(resource_types: ResourceTypes, tombstone: Tombstone, suffix: str) -> ManagedResource:
    spec = ResourceSpec(tombstone.logical_id, tombstone.aws_name, suffix, tombstone.desired, id=tombstone.id)
    return ManagedResource(resource_types[tombstone.type_name], spec, tombstone.region)
