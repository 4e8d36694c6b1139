"""Check of the updates of a plan: which ones AWS would refuse because of the resource's actual properties."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.clients import Clients
from provisioner.engine.explain import explained
from provisioner.engine.plan import Plan
from provisioner.preflight.finding import Finding


def refusals(made: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the reasons for which AWS would refuse an update; a reason that is uncertain is a warning."""
    for node in made.stack:
        change, doc = made.changes[node.name], made.docs.get(node.name)
        if change.verb != "update" or doc is None:
            continue
        client = clients.client(node.kind.service, node.region)
        with explained(f"asking what {node.aws_name or node.name} refuses"):
            found = node.kind.refuses(client, doc, {one.top for one in change.differences})
        for one in found:
            yield Finding(f"{node.piece}/{node.name}", one.what, one.hint, blocks=not one.doubtful)
