"""Check of the updates of a plan: which ones AWS would refuse because of the resource's actual properties."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.planning.plan import Plan
from provisioner.preflight.finding import Finding


def refusals(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the reasons for which AWS would refuse an update; a reason that is uncertain is a warning."""
    for resource in plan.stack:
        change, doc = plan.changes[resource.logical_id], plan.actual.get(resource.logical_id)
        if change.action != "update" or doc is None:
            continue
        client = clients.client(resource.type.service, resource.region)
        with user_errors(f"asking what {resource.aws_name or resource.logical_id} refuses"):
            found = resource.type.refusals(client, doc, {one.top for one in change.differences})
        for one in found:
            yield Finding(f"{resource.step}/{resource.logical_id}", one.what, one.hint, blocks=not one.uncertain)
