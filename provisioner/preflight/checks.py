"""All preflight checks of a plan, in one list: what would fail halfway, found before the first change."""

from __future__ import annotations

from provisioner.engine.calls.clients import Clients
from provisioner.engine.planning.plan import Plan
from provisioner.preflight.aurora import check_version_support, check_writer
from provisioner.preflight.domain import check_domain
from provisioner.preflight.finding import Finding
from provisioner.preflight.image_pulls import check_images
from provisioner.preflight.parameters import check_parameters
from provisioner.preflight.quotas import check_quotas
from provisioner.preflight.refusals import check_write_protections, needed_removals, refused_updates
from provisioner.preflight.sizes import check_policy_sizes, check_task_definition_sizes
from provisioner.preflight.subnet_overlaps import check_cidr_blocks

_MINUTE_SECONDS = 60


def run_preflight(plan: Plan, clients: Clients, seconds: float, account: str = "") -> list[Finding]:
    """Return everything that would go wrong with a plan.

    If the plan only deletes, or changes nothing, AWS is asked only about images in a private ECR registry,
    and about a database version whose standard support ends soon.

    Args:
        plan: The plan.
        clients: The clients to ask AWS with.
        seconds: How long the run is estimated to take, in seconds.
        account: The account of the stack; "" if it is not known.

    """
    actions = {change.action for change in plan.changes.values()}
    if actions.isdisjoint(("create", "replace", "update")):
        warnings = (*check_images(plan, clients, account), *check_version_support(plan, clients))
        return [*check_writer(plan), *needed_removals(plan), *warnings]
    shared_reads = clients.with_shared_reads()
    findings = [
        *check_credentials(clients, seconds),
        *check_parameters(plan, shared_reads),
        *check_writer(plan),
        *check_policy_sizes(plan),
        *check_task_definition_sizes(plan),
        *check_quotas(plan, shared_reads),
        *check_images(plan, shared_reads, account),
        *check_version_support(plan, shared_reads),
        *refused_updates(plan, shared_reads),
        *needed_removals(plan),
        *check_write_protections(plan, shared_reads),
    ]
    if actions.isdisjoint(("create", "replace")):
        return findings
    return [*findings, *check_cidr_blocks(plan, shared_reads), *check_domain(plan, shared_reads)]


def check_credentials(clients: Clients, seconds: float) -> list[Finding]:
    """Return a finding if the credentials expire before the run ends and do not renew themselves."""
    expires_at = clients.aws.credentials_expire_at()
    seconds_left = None if expires_at is None else expires_at - clients.clock.wall()
    if seconds_left is None or seconds_left > seconds:
        return []
    minutes_left, minutes_needed = seconds_left / _MINUTE_SECONDS, seconds / _MINUTE_SECONDS
    problem = f"they end in {minutes_left:.0f} min; this takes about {minutes_needed:.0f} min"
    hint = "Renew them first, for example with `aws sso login`, or use a profile: it is renewed by itself."
    return [Finding("credentials", problem, hint, limit=round(seconds_left), needed=round(seconds))]
