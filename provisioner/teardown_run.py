"""The teardown of a stack: what there is to delete, its deletion, and what AWS brings back meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.apply import Apply
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.outcome import Outcome
from provisioner.engine.execution.teardown import delete_recorded
from provisioner.engine.execution.teardown_verification import Remnant
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.protection import (
    HiddenProtection,
    hidden_protections,
    protected_resources,
    remove_protections,
)
from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.run_marker.marker import RunMarker
from provisioner.exclusive_run import run_mark
from provisioner.final_check import FinalSearch, search_for_remains
from provisioner.resources import RESOURCE_TYPES, leftovers
from provisioner.session import Session
from state.stack_state import StackState

# AWS's own services write while they end, and bring back what was deleted: so often, at most, the deletion is
# repeated.
_MAX_ROUNDS = 3


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
    visible: tuple[str, ...] = ()
    # Protections that no read of the resource returns: they were asked for.
    hidden: tuple[HiddenProtection, ...] = ()
    # Protected log groups that a service created and nobody declared.
    log_groups: tuple[str, ...] = ()

    @property
    def descriptions(self) -> list[str]:
        """A description of each protected resource."""
        asked = [
            f"{hidden.logical_id} ({'; '.join(hidden.protections)})" for hidden in self.hidden if hidden.protections
        ]
        return [*self.visible, *asked, *(f"the log group {name}" for name in self.log_groups)]


def find_protections(session: Session, plan: Plan) -> ProtectedResources:
    """Return all protections of the stack's resources, looked up before the first deletion."""
    foreign = {name for name, change in plan.changes.items() if change.foreign}
    with user_errors("asking which log groups are protected"):
        groups = leftovers.protected_log_groups(session.clients, plan.stack, foreign)
    return ProtectedResources(
        tuple(protected_resources(plan, RESOURCE_TYPES)),
        tuple(hidden_protections(plan, session.clients, RESOURCE_TYPES)),
        tuple(groups),
    )


def delete_stack(session: Session, plan: Plan, protections: ProtectedResources) -> tuple[Outcome, FinalSearch | None]:
    """Delete the resources in the state, and those that bear the stack's tags but are missing in the state.

    All of `protections` are taken off first: nothing is deleted while one of them stays. Meanwhile this
    run's mark is on the stack's marker, the resource whose tag says which run is at work; it is deleted last.

    Returns:
        The outcome, and the last search for what remains; None if the deletion is incomplete.

    Raises:
        LockHeld: Another machine's run is at work, or began before the end of this teardown.

    """
    marker = session.marker(plan)
    if marker is None:
        return _delete_until_nothing_returns(session, plan, protections)
    if not exists_in_stack(plan, marker.logical_id):
        marker.check_now()  # an interrupted teardown deleted it last, or another run has just begun
        return _delete_until_nothing_returns(session, plan, protections, marker)
    with run_mark(session, marker, plan.actual[marker.logical_id]):
        return _delete_until_nothing_returns(session, plan, protections, marker)


def expected_remnants(plan: Plan) -> list[Remnant]:
    """Return what AWS made beside the stack's resources and leaves behind after their deletion.

    The plan's reads, made before the teardown, tell of it: nothing does afterwards.
    """
    remnants = []
    for name, actual in plan.actual.items():
        if exists_in_stack(plan, name):
            resource_type = plan.stack.resources[name].type
            if reason := resource_type.leftovers(actual):
                remnants.append(Remnant(str(resource_type), name, reason))
    return remnants


def exists_in_stack(plan: Plan, name: str) -> bool:
    """Return whether the stack's resource of that name exists and is not somebody else's."""
    return name in plan.actual and not plan.changes[name].foreign


def delete_marker_last(state: StackState, marker: str) -> None:
    """Record dependencies by which all resources that the marker does not need are deleted before it.

    This also covers resources that an older version has created.
    """
    resource_states = state.resources
    needed, pending = set(), [marker]
    while pending:
        name = pending.pop()
        if name in resource_states and name not in needed:
            needed.add(name)
            pending += resource_states[name].depends_on
    for name, resource_state in resource_states.items():
        if needed and name not in needed and marker not in resource_state.depends_on:
            resource_state.depends_on.append(marker)


def _delete_until_nothing_returns(
    session: Session, plan: Plan, protections: ProtectedResources, marker: RunMarker | None = None
) -> tuple[Outcome, FinalSearch | None]:
    """Delete the stack's resources and sweep up leftovers; repeat the deletion while AWS brings some back.

    The search that found nothing is the last one, and the final check goes on with its answers.
    """
    executor = session.executor(plan)
    if marker and exists_in_stack(plan, marker.logical_id):
        delete_marker_last(session.state, marker.logical_id)
    Apply(plan, executor, RESOURCE_TYPES).adopt_found()
    removal = remove_protections(
        executor,
        RESOURCE_TYPES,
        protections.visible,
        [hidden.logical_id for hidden in protections.hidden if hidden.protections],
    )
    if not removal.is_complete:
        return removal, None
    foreign = _forget_foreign_resources(executor, plan)
    executor.state_manager.begin_teardown()
    outcome = delete_recorded(executor, RESOURCE_TYPES)
    outcome.foreign |= foreign
    _stop_renewing_deleted_marker(session, marker)
    search = None
    for rounds_left in reversed(range(_MAX_ROUNDS + 1)):
        if outcome.is_complete:
            _delete_leftovers(session, plan.stack, outcome, protections, marker)
        if not outcome.is_complete:
            return outcome, None
        search = search_for_remains(session, plan.stack)
        raise_if_recreated(marker, search.plan)
        if not rounds_left or not _has_returned(search.plan, outcome):
            break
        executor.state_manager.record_findings(search.plan.findings)
        Apply(search.plan, executor, RESOURCE_TYPES).adopt_found()
        outcome = outcome.merged_with(delete_recorded(executor, RESOURCE_TYPES))
        _stop_renewing_deleted_marker(session, marker)
    return outcome, search


def raise_if_recreated(marker: RunMarker | None, search: Plan) -> None:
    """Raise LockHeld if the marker was deleted but a search finds it again: another run has created it.

    A marker with this run's own mark is one that AWS still shows after its deletion.
    """
    if marker and exists_in_stack(search, marker.logical_id):
        actual = search.actual[marker.logical_id]
        if not marker.is_ours(actual):
            raise marker.begun_again_error(actual)


def _stop_renewing_deleted_marker(session: Session, marker: RunMarker | None) -> None:
    """Stop renewing the mark if the marker was deleted: it was the last resource of the stack."""
    if marker and marker.logical_id not in session.state.resources:
        marker.stop_renewing()


def _forget_foreign_resources(executor: ResourceExecutor, plan: Plan) -> dict[str, str]:
    """Forget recorded resources whose names are somebody else's resources now, with what lies in them.

    Returns:
        A description of each resource of somebody else's under a name of the stack, whether the state still
        has that name or not.

    """
    ids = {name: resource_state.id for name, resource_state in executor.state_manager}
    foreign = {
        name: change
        for name, change in plan.changes.items()
        if change.foreign and not RESOURCE_TYPES[change.type_name].uses_existing
    }
    for name, change in foreign.items():
        if change.id == ids.get(name):
            executor.state_manager.remove(name, deleted=False)
    return {name: f"{change.type_name} {change.aws_name or name}: {change.reason}" for name, change in foreign.items()}


def _has_returned(returned: Plan, outcome: Outcome) -> bool:
    """Return whether the search found more than the retained resources and their settings."""
    resources = returned.stack.resources
    return any(not outcome.kept.keys() & {name, *resources[name].depends_on} for name in returned.found)


def _delete_leftovers(
    session: Session, stack: Stack, outcome: Outcome, protections: ProtectedResources, marker: RunMarker | None
) -> None:
    """Delete what AWS itself made for the stack and left, or brought back.

    Raises:
        LockHeld: Another run has created the stack again.

    """
    if marker and (actual := marker.read()) and marker.other(actual):
        raise marker.begun_again_error(actual)
    with outcome.recording("what AWS has left", "sweeping it up"):
        leftovers.unprotect_log_groups(session.clients, protections.log_groups)
        remaining = leftovers.find_leftovers(session.clients, stack, outcome.foreign.keys())
        leftovers.delete_leftovers(session.clients, remaining)
        outcome.cleaned_up += [leftover.id for leftover in remaining]
