"""The final check of a teardown: one search by name and by tag, and every id that was ever held, asked for once.

What each of its calls proves:

- The search reads each declared resource, with every variant of the settings, by its name or its tags: what was made
  again, adopted or renamed back is found, whatever the state knew. A part of something that is missing is not asked
  for: AWS keeps no rule, policy or setting of what does not exist.
- A call with the ids of all deleted resources of a type finds those that lost their tags or their name. AWS leaves out
  what is gone. Only what still shows is asked for again.
- GetResources, in the stack's region and in us-east-1, finds whatever else bears the stack's tags.
- The searches of `resources/leftovers.py` find what AWS made without tags: alarms, revisions, log groups, snapshots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.teardown_verification import VerificationReport, verify_deleted
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.plan_builder import make_plan
from provisioner.engine.resource_graph.graph import Stack
from provisioner.resources import RESOURCE_TYPES, leftovers
from provisioner.resources.tags import arns_with_stack_tags
from provisioner.session import Session
from provisioner.settings.database import MAX_READERS
from provisioner.settings.network import MAX_ZONES
from provisioner.settings.variants import with_zones
from provisioner.stack import build_all
from provisioner.steps.lookups import offline_lookups
from state.findings import NO_FINDINGS
from state.stack_state import StackState


@dataclass(frozen=True)
class FinalSearch:
    """A search for all resources of a stack, and the clients that hold its answers for the rest of the check."""

    plan: Plan
    clients: Clients


def search_for_remains(session: Session, stack: Stack) -> FinalSearch:
    """Search for the resources of a stack by name and by tag, as if there were no state."""
    clients = session.clients.with_shared_reads(BatchScope.of_deleted(session.state))
    blank = StackState(session.suffix, session.location)
    return FinalSearch(make_plan(stack, blank, clients, RESOURCE_TYPES, NO_FINDINGS, children=False), clients)


def verify_nothing_remains(session: Session, stack: Stack, search: FinalSearch) -> VerificationReport:
    """Ask for every id that the stack ever had, and add what the search has found.

    The answers of the search count here too: nothing was changed since.
    """
    clients = search.clients
    foreign = {name for name, change in search.plan.changes.items() if change.foreign}
    with user_errors("searching for what is left"):
        tagged = arns_with_stack_tags(clients, session.suffix)
        billed = leftovers.billed_leftovers(clients, stack)
        lingering = leftovers.expiring_leftovers(clients, stack)
        leftovers_found = leftovers.find_leftovers(clients, stack, foreign)
    tombstones = session.state.tombstones
    report = verify_deleted(clients, RESOURCE_TYPES, tombstones, search.plan, tagged, session.suffix)
    report.add_explained(billed, lingering, leftovers_found)
    return report


def stack_by_name(session: Session) -> Stack:
    """Return the stack with all names and tags that it may have, for a search without a state."""
    version = session.settings.database.effective_version(session.state.lookups.get("version", ""))
    offline = offline_lookups(MAX_ZONES, version)
    lookups = replace(offline, account=session.location.account, master_password="own", readers=MAX_READERS)  # noqa: S106 - who holds it
    return build_all(with_zones(session.settings, MAX_ZONES), session.suffix, session.location.region, lookups)
