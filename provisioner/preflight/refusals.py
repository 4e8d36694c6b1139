"""Changes of a plan that AWS would refuse: because of a protection, a dependent resource, or their values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.consistency import deletion_protection, unprotect_command
from provisioner.engine.execution.teardown import recorded_resource
from provisioner.engine.planning.blocked_deletions import read_unless_denied
from provisioner.engine.planning.plan import Plan, ResourceTypes
from provisioner.engine.planning.teardown_plan import overrides_method
from provisioner.preflight.finding import Finding, address_of

_WRITES = ("create", "replace", "update")


def protected_removals(plan: Plan, clients: Clients, resource_types: ResourceTypes) -> Iterator[Finding]:
    """Yield the resources that are no longer declared but are protected against deletion.

    It makes one read for each resource whose type can be protected.
    """
    shared_reads = clients.with_shared_reads()
    for name, change in plan.changes.items():
        if change.action != "delete" or not resource_types[change.type_name].unprotect_command:
            continue
        managed = recorded_resource(plan.state, name, resource_types)
        with user_errors(f"asking what protects {managed.spec.aws_name or name}"):
            protection = deletion_protection(shared_reads, managed)
        if protection:
            yield Finding(
                f"{change.step}/{name}",
                f"{managed.description} is no longer declared, and is protected against deletion",
                f"Take that off: {unprotect_command(shared_reads, managed, protection)}; or declare it again.",
            )


def needed_removals(plan: Plan) -> Iterator[Finding]:
    """Yield the resources that a plan deletes and that another resource relies on by its actual properties.

    It makes no call.
    """
    removed = {
        change.id: f"{change.step}/{name}"
        for name, change in plan.changes.items()
        if change.action in ("delete", "replace") and change.id
    }
    full_plan = plan.unfiltered or plan
    for resource in full_plan.stack if removed else ():
        actual = full_plan.actual.get(resource.logical_id, {})
        for id_, requirement in resource.type.required_resources(actual).items():
            if id_ in removed:
                yield Finding(removed[id_], requirement.reason, requirement.hint, is_blocking=not requirement.uncertain)


def refused_updates(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the reasons for which AWS would refuse an update; a reason that is uncertain is a warning."""
    for resource in plan.stack:
        change, actual = plan.changes[resource.logical_id], plan.actual.get(resource.logical_id)
        if change.action != "update" or actual is None:
            continue
        client = clients.client(resource.type.service, resource.region)
        with user_errors(f"asking what {resource.aws_name or resource.logical_id} refuses"):
            refusals = resource.type.refusals(client, actual, {difference.top for difference in change.differences})
        for refusal in refusals:
            yield Finding(address_of(resource), refusal.reason, refusal.hint, is_blocking=not refusal.uncertain)


def check_write_protections(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the creates, replacements and updates that AWS would refuse because of a write protection.

    A warning says where AWS denied the call that lists the protections.
    """
    for resource in plan.stack:
        action, resource_type = plan.changes[resource.logical_id].action, resource.type
        if action not in _WRITES or not overrides_method(resource_type, "write_protections"):
            continue
        client = clients.client(resource_type.service, resource.region)
        desired = plan.resolved_properties(resource)
        actual = plan.actual.get(resource.logical_id, {}) if action == "update" else {}
        name = resource.aws_name or resource.logical_id
        with user_errors(f"asking what protects {name}"):
            read_protections = partial(resource_type.write_protections, client, desired, actual)
            protections, unknown = read_unless_denied(read_protections, resource_type)
        address = address_of(resource)
        if unknown:
            problem = f"whether {name} is protected from changes is not known: {unknown}"
            yield Finding(address, problem, is_blocking=False)
        for protection in protections:
            yield Finding(address, protection.reason, protection.hint, is_blocking=not protection.uncertain)
