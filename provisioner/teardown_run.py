"""The teardown of a stack: what there is to delete, its deletion, and the last search for leftovers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.apply import Apply
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.execution.teardown import delete_recorded
from provisioner.engine.execution.verification import Remnant, VerificationReport, verify_deleted
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.plan_builder import make_plan
from provisioner.engine.planning.protection import (
    HiddenProtection,
    hidden_protections,
    protected_resources,
    remove_protections,
)
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.exclusive_run import run_mark
from provisioner.resources import RESOURCE_TYPES, leftovers
from provisioner.resources.tags import arns_with_stack_tags
from provisioner.session import Session
from provisioner.settings.database import MAX_READERS
from provisioner.settings.network import MAX_ZONES
from provisioner.settings.variants import with_zones
from provisioner.stack import build_all
from provisioner.steps.lookups import offline_lookups
from state.stack_state import StackState

# AWS's own services write while they end, and bring back what was deleted: so often, at most, the deletion is
# repeated.
_ROUNDS = 3


def resources_to_delete(plan: Plan) -> list[str]:
    """Return the names of the resources that a teardown deletes, in declared order.

    These exist in AWS, or are in the state; the account-wide roles are left out.
    """
    resource_states = plan.state.resources
    names = plan.found | {
        name
        for name, resource_state in resource_states.items()
        if not RESOURCE_TYPES[resource_state.type_name].account_wide
    }
    return [name for name in dict.fromkeys([*plan.stack.resources, *resource_states]) if name in names]


@dataclass(frozen=True)
class ProtectedResources:
    """The protections that must be taken off before AWS deletes the resources."""

    # Names of the resources whose own properties say that they are protected.
    told: tuple[str, ...] = ()
    # Protections that no read of the resource returns: they were asked for.
    untold: tuple[HiddenProtection, ...] = ()
    # Protected log groups that a service created and nobody declared.
    groups: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """A description of each protected resource."""
        asked = [f"{one.logical_id} ({'; '.join(one.protections)})" for one in self.untold if one.protections]
        return [*self.told, *asked, *(f"the log group {name}" for name in self.groups)]


def protections(session: Session, plan: Plan) -> ProtectedResources:
    """Return all protections of the stack's resources, looked up before the first deletion."""
    theirs = {name for name, one in plan.changes.items() if one.foreign}
    with user_errors("asking which log groups are protected"):
        groups = leftovers.protected_log_groups(session.clients, plan.stack, theirs)
    return ProtectedResources(
        tuple(protected_resources(plan, RESOURCE_TYPES)),
        tuple(hidden_protections(plan, session.clients, RESOURCE_TYPES)),
        tuple(groups),
    )


def take_down(session: Session, plan: Plan, found: ProtectedResources) -> Outcome:
    """Delete the resources in the state, and those that bear the stack's tags but are missing in the state.

    The protections `found` are taken off first: nothing is deleted while one of them stays. Meanwhile this
    run's mark is on the stack's marker, the resource whose tag says which run is at work; it is deleted last.

    Raises:
        LockHeld: Another machine's run is at work, or began before the end of this teardown.

    """
    marker = session.marker(plan)
    if marker is None:
        return _take_down(session, plan, found)
    if not stands(plan, marker.logical_id):
        marker.check_now()  # an interrupted teardown deleted it last, or another run has just begun
        return _take_down(session, plan, found, marker)
    with run_mark(session, marker, plan.actual[marker.logical_id]):
        return _take_down(session, plan, found, marker)


def leftovers_of_aws(plan: Plan) -> list[Remnant]:
    """Return what AWS made beside the stack's resources and leaves behind after their deletion.

    The plan's reads, made before the teardown, tell of it: nothing does afterwards.
    """
    mine = {name: doc for name, doc in plan.actual.items() if stands(plan, name)}
    told = ((name, plan.stack.resources[name].type, doc) for name, doc in mine.items())
    found = [(name, resource_type, resource_type.leftovers(doc)) for name, resource_type, doc in told]
    return [Remnant(str(resource_type), name, why) for name, resource_type, why in found if why]


def stands(plan: Plan, name: str) -> bool:
    """Return whether the stack's resource of that name exists and is not somebody else's."""
    return name in plan.actual and not plan.changes[name].foreign


def delete_marker_last(state: StackState, marker: str) -> None:
    """Record dependencies by which all resources that the marker does not need are deleted before it.

    This also covers resources that an older version has created.
    """
    resource_states = state.resources
    needed, waiting = set(), [marker]
    while waiting:
        name = waiting.pop()
        if name in resource_states and name not in needed:
            needed.add(name)
            waiting += resource_states[name].depends_on
    for name, resource_state in resource_states.items():
        if needed and name not in needed and marker not in resource_state.depends_on:
            resource_state.depends_on.append(marker)


def _take_down(session: Session, plan: Plan, found: ProtectedResources, marker: RunMarker | None = None) -> Outcome:
    """Delete the stack's resources and sweep up leftovers; repeat the deletion while AWS brings some back."""
    executor = session.executor(plan)
    if marker and stands(plan, marker.logical_id):
        delete_marker_last(session.state, marker.logical_id)
    Apply(plan, executor, RESOURCE_TYPES).adopt_found()
    lifted = remove_protections(
        executor, RESOURCE_TYPES, found.told, [one.logical_id for one in found.untold if one.protections]
    )
    if not lifted.is_complete:
        return lifted
    theirs = _let_go(executor, plan)
    executor.state_manager.begin_teardown()
    outcome = delete_recorded(executor, RESOURCE_TYPES)
    outcome.foreign |= theirs
    _rest(session, marker)
    if outcome.is_complete:
        _sweep(session, plan.stack, outcome, found, marker)
    for _ in range(_ROUNDS):
        returned = make_plan(plan.stack, session.state, session.clients, RESOURCE_TYPES)
        if not outcome.is_complete or not _came_back(returned, outcome):
            break
        raise_if_begun_again(marker, returned)
        executor.state_manager.record_findings(returned.findings)
        Apply(returned, executor, RESOURCE_TYPES).adopt_found()
        outcome = outcome.merged_with(delete_recorded(executor, RESOURCE_TYPES))
        _rest(session, marker)
    if outcome.is_complete:
        _sweep(session, plan.stack, outcome, found, marker)
    return outcome


def raise_if_begun_again(marker: RunMarker | None, search: Plan) -> None:
    """Raise LockHeld if the marker was deleted but a search finds it again: another run has created it.

    A marker with this run's own mark is one that AWS still shows after its deletion.
    """
    if marker and stands(search, marker.logical_id) and not marker.is_ours(doc := search.actual[marker.logical_id]):
        raise marker.begun_again_error(doc)


def _rest(session: Session, marker: RunMarker | None) -> None:
    """Stop renewing the mark if the marker was deleted: it was the last resource of the stack."""
    if marker and marker.logical_id not in session.state.resources:
        marker.stop_renewing()


def _let_go(executor: ResourceExecutor, plan: Plan) -> dict[str, str]:
    """Forget recorded resources whose names are somebody else's resources now, with what lies in them.

    Returns:
        A description of each resource of somebody else's under a name of the stack, whether the state still
        has that name or not.

    """
    ids = {name: resource_state.id for name, resource_state in executor.state_manager}
    foreign = {
        name: one
        for name, one in plan.changes.items()
        if one.foreign and not RESOURCE_TYPES[one.type_name].uses_existing
    }
    for name, change in foreign.items():
        if change.id == ids.get(name):
            executor.state_manager.remove(name, deleted=False)
    return {name: f"{one.type_name} {one.aws_name or name}: {one.reason}" for name, one in foreign.items()}


def _came_back(returned: Plan, outcome: Outcome) -> bool:
    """Return whether the search found more than the retained resources and their settings."""
    resources = returned.stack.resources
    return any(not outcome.kept.keys() & {name, *resources[name].depends_on} for name in returned.found)


def _sweep(
    session: Session, stack: Stack, outcome: Outcome, lifted: ProtectedResources, marker: RunMarker | None
) -> None:
    """Delete what AWS itself made for the stack and left, or brought back.

    Raises:
        LockHeld: Another run has created the stack anew.

    """
    if marker and (doc := marker.read()) and marker.other(doc):
        raise marker.begun_again_error(doc)
    with outcome.recording("what AWS has left", "sweeping it up"):
        leftovers.unprotect_log_groups(session.clients, lifted.groups)
        found = leftovers.find_leftovers(session.clients, stack, outcome.foreign.keys())
        leftovers.delete_leftovers(session.clients, found)
        outcome.cleaned_up += [one.id for one in found]


def verify_nothing_remains(session: Session, stack: Stack, check: Callable[[Plan], None]) -> VerificationReport:
    """Ask for every id that the stack ever had, and search by name and by tag as if there were no state.

    `check` gets the plan of the search, and raises if it found another run's resources.
    """
    blank = StackState(session.suffix, session.location)
    search = make_plan(stack, blank, session.clients, RESOURCE_TYPES, children=False)
    check(search)
    theirs = {name for name, one in search.changes.items() if one.foreign}
    with user_errors("searching for what is left"):
        tagged = arns_with_stack_tags(session.clients, session.suffix)
        kept = leftovers.billed_leftovers(session.clients, stack)
        lingering = leftovers.expiring_leftovers(session.clients, stack)
        strays = leftovers.find_leftovers(session.clients, stack, theirs)
    tombstones = session.state.tombstones
    report = verify_deleted(session.clients, RESOURCE_TYPES, tombstones, search, tagged, session.suffix)
    report.add_explained(kept, lingering, strays)
    return report


def stack_by_name(session: Session) -> Stack:
    """Return the stack with all names and tags that it may have, for a search without a state."""
    version = session.settings.database.effective_version(session.state.lookups.get("version", ""))
    known = offline_lookups(MAX_ZONES, version)
    lookups = replace(known, account=session.location.account, master_password="own", readers=MAX_READERS)  # noqa: S106 - who holds it
    return build_all(with_zones(session.settings, MAX_ZONES), session.suffix, session.location.region, lookups)
