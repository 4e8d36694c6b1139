"""All preflight checks of a plan, in one list."""

from __future__ import annotations

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.preflight.addresses import addresses
from provisioner.preflight.domain import domain
from provisioner.preflight.findings import Finding, database, images, refusals
from provisioner.preflight.parameters import parameters
from provisioner.preflight.quotas import quotas
from provisioner.preflight.removals import removals_relied_on
from provisioner.preflight.sizes import revisions, sizes
from provisioner.preflight.support import support
from provisioner.preflight.write_protections import write_protections

_MINUTE = 60


def check(plan: Plan, clients: Clients, seconds: float, account: str = "") -> list[Finding]:
    """Return everything that would go wrong with a plan.

    If the plan only deletes, or changes nothing, AWS is asked only about images in a private ECR registry,
    and about a database version whose standard support ends soon.

    Args:
        plan: The plan.
        clients: The clients to ask AWS with.
        seconds: How long the run is estimated to take, in seconds.
        account: The account of the stack; "" if it is not known.

    """
    verbs = {change.action for change in plan.changes.values()}
    if verbs.isdisjoint(("create", "replace", "update")):
        rest = (*images(plan, clients, account), *support(plan, clients))
        return [*database(plan), *removals_relied_on(plan), *rest]
    asking = clients.with_shared_reads()
    always = [
        *credentials(clients, seconds),
        *parameters(plan, asking),
        *database(plan),
        *sizes(plan),
        *revisions(plan),
        *quotas(plan, asking),
        *images(plan, asking, account),
        *support(plan, asking),
        *refusals(plan, asking),
        *removals_relied_on(plan),
        *write_protections(plan, asking),
    ]
    if verbs.isdisjoint(("create", "replace")):
        return always
    return [*always, *addresses(plan, asking), *domain(plan, asking)]


def credentials(clients: Clients, seconds: float) -> list[Finding]:
    """Return a finding if the credentials expire before the run ends and do not renew themselves."""
    end = clients.aws.credentials_end()
    left = None if end is None else end - clients.clock.wall()
    if left is None or left > seconds:
        return []
    return [
        Finding(
            "credentials",
            f"they end in {left / _MINUTE:.0f} min; this takes about {seconds / _MINUTE:.0f} min",
            "Renew them first, for example with `aws sso login`, or use a profile: it is renewed by itself.",
            limit=round(left),
            needed=round(seconds),
        )
    ]
