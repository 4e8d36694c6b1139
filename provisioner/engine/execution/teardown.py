"""The deletion of recorded resources in reverse order: each one goes after all that depend on it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from provisioner.engine.calls.user_errors import user_error
from provisioner.engine.estimates.critical_path import DeleteStage, delete_graph
from provisioner.engine.execution.consistency import deletion_protection, is_permanent_refusal, unprotect_command
from provisioner.engine.execution.events import Event, end_type_of
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.outcome import FATAL, Outcome
from provisioner.engine.execution.scheduler import DagExecutor, ReportStage, Work
from provisioner.engine.planning.plan import ResourceTypes
from provisioner.engine.planning.resource_owner import is_identified_by_name
from provisioner.engine.types.blocker import OwnershipConflict
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import Blocked
from provisioner.names import tags_of
from state.errors import ProvisionerError
from state.stack_state import ResourceState, StackState


def delete_recorded(executor: ResourceExecutor, resource_types: ResourceTypes, only: Set[str] | None = None) -> Outcome:
    """Delete all recorded resources, or those in `only`; each deletion starts as early as it can.

    Of account-wide resources nothing is deleted; a teardown removes them from the state.
    """
    state = executor.state_manager.state
    for name, resource_state in executor.state_manager if only is None else ():
        if resource_types[resource_state.type_name].account_wide:
            executor.state_manager.remove(name, deleted=False)
    names = {name for name in state.resources if only is None or name in only}
    outcome = Outcome("teardown")
    start = executor.clock.now()

    def begin(end: DeleteStage) -> Work[DeleteStage] | None:
        if end.milestone == "gone":
            return None
        managed = recorded_resource(state, end.logical_id, resource_types)
        return lambda report_stage: delete_and_report(
            executor, managed, outcome, report_stage, whole_stack=only is None
        )

    reached = DagExecutor(
        _deletion_graph(state, names, resource_types), begin, stopped=lambda: executor.clock.stopped
    ).run()
    done = {stage.logical_id for stage in reached if stage.milestone == "gone"}
    outcome.done = sorted(done - outcome.kept.keys() - outcome.foreign.keys())
    outcome.undone = sorted(names - done - set(outcome.failed))
    outcome.seconds = executor.clock.now() - start
    return outcome


def _deletion_graph(
    state: StackState, names: Set[str], resource_types: ResourceTypes
) -> dict[DeleteStage, set[DeleteStage]]:
    """Return the stages that each stage of the deletion waits for, from the recorded dependencies."""
    resource_states = state.resources

    def is_alongside(name: str, other: str) -> bool:
        return resource_states[other].type_name in resource_types[resource_states[name].type_name].deleted_alongside

    return delete_graph({name: resource_states[name].depends_on for name in names}, is_alongside)


def recorded_resource(state: StackState, name: str, resource_types: ResourceTypes) -> ManagedResource:
    """Return the resource to work on for a recorded one, which may no longer be declared."""
    resource_state: ResourceState = state.resources[name]
    logical_id = name.split("~", 1)[0]
    spec = ResourceSpec(
        logical_id=name,
        aws_name=resource_state.aws_name,
        suffix=state.suffix,
        props=resource_state.desired,
        tags=tags_of(state.suffix, state.location.region, logical_id, resource_state.aws_name, resource_state.tags),
        id=resource_state.id,
        # Without an id it is searched by name and tags, which the other resources of its type may share.
        excluded_ids=frozenset()
        if resource_state.id
        else state.ids_of_others(name, resource_state.type_name, resource_state.region),
    )
    return ManagedResource(
        resource_types[resource_state.type_name],
        spec,
        resource_state.region,
        tuple(resource_state.depends_on),
        resource_state.step,
        parents=_parents_known_by_name(state, resource_state, resource_types),
    )


def _parents_known_by_name(
    state: StackState, resource_state: ResourceState, resource_types: ResourceTypes
) -> tuple[ManagedResource, ...]:
    """Return the recorded resources that contain this one and are known by a name only."""
    resource_type = resource_types[resource_state.type_name]
    if resource_type.tagged:
        return ()
    parent_ids = [resource_state.desired.get(key) for key in resource_type.lookup_properties]
    dependencies = {name: state.resources[name] for name in resource_state.depends_on if name in state.resources}
    return tuple(
        recorded_resource(state, name, resource_types)
        for name, dependency in dependencies.items()
        if dependency.id and dependency.id in parent_ids and is_identified_by_name(resource_types[dependency.type_name])
    )


def _deletion_error(
    executor: ResourceExecutor, managed: ManagedResource, error: Exception, *, whole_stack: bool
) -> ProvisionerError | None:
    """Return the error that a user sees for a failed deletion; None if it is a bug in this program."""
    if is_permanent_refusal(managed, error) and (actual := deletion_protection(executor.clients, managed)):
        remedy = (
            f"Take that off: {unprotect_command(executor.clients, managed, actual)}. Then run the same command again"
        )
        option = ", or add `--unprotect`, which takes it off" if whole_stack else ""
        return Blocked(f"{managed.description} is protected against deletion.", f"{remedy}{option}.")
    return user_error(error, f"deleting {managed.spec.aws_name or managed.spec.logical_id}")


def delete_and_report(
    executor: ResourceExecutor,
    managed: ManagedResource,
    outcome: Outcome,
    report_stage: ReportStage[DeleteStage],
    *,
    whole_stack: bool = False,
) -> None:
    """Delete one resource, report its stages to `report_stage` and the listener, and add its result to `outcome`.

    `whole_stack` says that the whole stack is deleted.
    """
    name, clock = managed.spec.logical_id, executor.clock
    start = clock.now()
    executor.publish(Event("starting", name, "delete"))
    is_accepted = False

    def on_accepted() -> None:
        nonlocal is_accepted
        if not is_accepted:
            is_accepted = True
            executor.publish(Event("going", name, "delete", seconds=clock.now() - start))
            report_stage(DeleteStage(name, "going"))

    try:
        if retention_reason := executor.delete(managed, on_accepted):
            outcome.kept[name] = retention_reason
    except OwnershipConflict as error:
        outcome.foreign[name] = error.message
    except Exception as error:
        failure = _deletion_error(executor, managed, error, whole_stack=whole_stack)
        if failure is None:
            raise
        outcome.failed[name] = failure
        if isinstance(failure, FATAL):
            clock.stop()
        executor.publish(Event(end_type_of(failure), name, "delete", failure.message, clock.now() - start))
        return
    end = Event("gone", name, "delete", seconds=clock.now() - start, id=managed.spec.id)
    kept = f"for the sake of {outcome.kept[name]}" if name in outcome.kept else outcome.foreign.get(name, "")
    executor.publish(replace(end, type="kept", detail=kept) if kept else end)
    report_stage(DeleteStage(name, "going"))
    report_stage(DeleteStage(name, "gone"))
