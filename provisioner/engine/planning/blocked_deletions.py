"""Blockers: what would keep AWS from deleting resources, read before the first deletion."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import TypeVar

from botocore.exceptions import ClientError

from provisioner.aws.responses import UnsupportedOperation
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of, is_unsupported_operation
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.scheduler import run_in_parallel
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.teardown_plan import deletion_candidates, overrides_method
from provisioner.engine.types.resource_type import ResourceType

T = TypeVar("T")

_READERS = 8


@dataclass(frozen=True)
class BlockedDeletion:
    """Somebody else's resource, or a contract, that keeps one of ours from being deleted."""

    logical_id: str = field(metadata={"json": "node"})
    type_name: str = field(metadata={"json": "kind"})
    blocker: str = field(metadata={"json": "what"})
    remedy: str = ""
    # More that a person has to know; printed once for all blockers that share it.
    note: str = ""

    def __str__(self) -> str:
        return (
            f"{self.type_name} {self.logical_id} is held by {self.blocker}{f': {self.remedy}' if self.remedy else ''}"
        )


def blocked_deletions(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> list[BlockedDeletion]:
    """Return the blockers of all planned deletions that will not go away by themselves.

    Blockers that are themselves part of a resource to be deleted are left out. A read that AWS denies counts
    as a blocker.
    """
    shared = clients.with_shared_reads(BatchScope.of(plan.state))
    candidates = deletion_candidates(plan, resource_types)
    blockable = {name: managed for name, managed in candidates.items() if overrides_method(managed.type, "blockers")}
    deleted_ids = {managed.spec.id for managed in candidates.values()}
    blocked: dict[str, list[BlockedDeletion]] = {}

    def read_blockers(name: str) -> None:
        with user_errors(f"asking who holds {blockable[name].spec.aws_name or name}"):
            blocked[name] = _blockers_of(blockable[name], shared, deleted_ids)

    run_in_parallel({name: set() for name in blockable}, read_blockers, workers=_READERS)
    return [blocked_deletion for name in blockable for blocked_deletion in blocked.get(name, [])]


def _blockers_of(managed: ManagedResource, clients: Clients, deleted_ids: Set[str]) -> list[BlockedDeletion]:
    """Return the lasting blockers of one resource; where AWS denies the read, a blocker that says so."""
    resource_type, spec = managed.type, managed.spec
    client = clients.client(resource_type.service, managed.region)
    blockers, unknown_reason = read_unless_denied(lambda: resource_type.blockers(client, spec), resource_type)
    if unknown_reason:
        return [BlockedDeletion(spec.logical_id, str(resource_type), f"nobody knows whom: {unknown_reason}")]
    return [
        BlockedDeletion(spec.logical_id, str(resource_type), blocker.description, blocker.remedy, blocker.note)
        for blocker in blockers
        if (not blocker.temporary or blocker.uncertain) and blocker.part_of not in deleted_ids
    ]


def read_unless_denied(ask: Callable[[], list[T]], resource_type: ResourceType) -> tuple[list[T], str]:
    """Return AWS's answers about a resource, or the reason why they are unknown.

    Args:
        ask: Makes the calls.
        resource_type: The type of the resource.

    Returns:
        The answers, and the reason in words. The answers are empty where there is a reason, and also where
        the resource has gone meanwhile or an emulator does not know the call.

    """
    try:
        return ask(), ""
    except (ClientError, UnsupportedOperation) as error:
        if is_unsupported_operation(error):
            return [], ""
        category, code = categorize(error), code_of(error)
        if category not in (ErrorCategory.REFUSED, ErrorCategory.DENIED):
            raise
        if code in resource_type.not_found_codes:
            return [], ""
        answer = "denied" if category is ErrorCategory.DENIED else f"refused ({code})"
        return [], f"AWS {answer} {getattr(error, 'operation_name', 'this')}"


def blocker_notes(blocked: list[BlockedDeletion]) -> list[str]:
    """Return the notes of the blockers as sentences, each once."""
    return [f"{note}." for note in dict.fromkeys(deletion.note for deletion in blocked) if note]
