"""Check of the creates and updates of a plan: which ones AWS would refuse because of a write protection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.blocked_deletions import read_unless_denied
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.teardown_plan import overrides_method
from provisioner.preflight.findings import Finding

_VERBS = ("create", "replace", "update")


def write_protections(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the creates, replacements and updates that AWS would refuse because of a write protection.

    A warning says where AWS denied the call that lists the protections.
    """
    for resource in plan.stack:
        verb, resource_type = plan.changes[resource.logical_id].action, resource.type
        if verb not in _VERBS or not overrides_method(resource_type, "write_protections"):
            continue
        client = clients.client(resource_type.service, resource.region)
        wanted = plan.resolved_properties(resource)
        seen = plan.actual.get(resource.logical_id, {}) if verb == "update" else {}
        words = resource.aws_name or resource.logical_id
        with user_errors(f"asking what protects {words}"):
            found, unknown = read_unless_denied(
                partial(resource_type.write_protections, client, wanted, seen), resource_type
            )
        where = f"{resource.step}/{resource.logical_id}"
        if unknown:
            yield Finding(where, f"whether {words} is protected from changes is not known: {unknown}", blocks=False)
        for one in found:
            yield Finding(where, one.reason, one.hint, blocks=not one.uncertain)
