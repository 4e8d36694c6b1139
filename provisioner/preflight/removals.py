"""What a plan removes though AWS protects it, or though something that stays relies on it."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.consistency import deletion_protection, unprotect_command
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.preflight.findings import Finding


def protected_removals(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> Iterator[Finding]:
    """Yield the resources that are no longer declared but are protected against deletion.

    It makes one read for each resource whose type can be protected.
    """
    shared = clients.with_shared_reads()
    for name, change in plan.changes.items():
        if change.action != "delete" or not resource_types[change.type_name].unprotect_command:
            continue
        managed = recorded_resource(plan.state, name, resource_types)
        with user_errors(f"asking what protects {managed.spec.aws_name or name}"):
            doc = deletion_protection(shared, managed)
        if doc:
            yield Finding(
                f"{change.step}/{name}",
                f"{managed.description} is no longer declared, and is protected against deletion",
                f"Take that off: {unprotect_command(shared, managed, doc)}; or declare it again.",
            )


def removals_relied_on(plan: Plan) -> Iterator[Finding]:
    """Yield the resources that a plan deletes and that another resource relies on by its actual properties.

    It makes no call.
    """
    removed = {
        change.id: f"{change.step}/{name}"
        for name, change in plan.changes.items()
        if change.action in ("delete", "replace") and change.id
    }
    whole = plan.unfiltered or plan
    for resource in whole.stack if removed else ():
        for id_, found in resource.type.required_resources(whole.actual.get(resource.logical_id, {})).items():
            if id_ in removed:
                yield Finding(removed[id_], found.reason, found.hint, blocks=not found.uncertain)
