"""Check of the deletions of a plan: which resources AWS would not delete, as they are protected."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.consistency import protection, way_off
from provisioner.engine.execution.teardown import target_in
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.preflight.findings import Finding
from state.stack_state import StackState


def protections(plan: Plan, state: StackState, clients: Clients, resource_types: ResourceTypes) -> Iterator[Finding]:
    """Yield the resources that are no longer declared but are protected against deletion.

    It makes one read for each resource whose type can be protected.
    """
    shared = clients.with_shared_reads()
    for name, change in plan.changes.items():
        if change.action != "delete" or not resource_types[change.type_name].unprotected_by:
            continue
        managed = target_in(state, name, resource_types)
        with user_errors(f"asking what protects {managed.spec.aws_name or name}"):
            doc = protection(shared, managed)
        if doc:
            yield Finding(
                f"{change.step}/{name}",
                f"{managed.description} is no longer declared, and is protected against deletion",
                f"Take that off: {way_off(shared, managed, doc)}; or declare it again.",
            )
