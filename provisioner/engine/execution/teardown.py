"""The deletion of recorded resources in reverse order: each one goes after all that depend on it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from provisioner.engine.calls.user_errors import user_error
from provisioner.engine.estimates.critical_path import DeleteStage
from provisioner.engine.execution.consistency import deletion_protection, is_permanent_refusal, unprotect_command
from provisioner.engine.execution.deletion_order import DeletionOrder, deletion_order
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
    order = deletion_order(state.resources, names, resource_types, whole_stack=only is None)
    deletions = _Deletions(executor, resource_types, order, whole_stack=only is None)
    start = executor.clock.now()
    deletions.run()
    outcome = deletions.outcome
    outcome.done = sorted(deletions.done - outcome.kept.keys() - outcome.foreign.keys())
    outcome.undone = sorted(names - deletions.done - set(outcome.failed))
    outcome.seconds = executor.clock.now() - start
    return outcome


class _Deletions:
    """The deletion of recorded resources in their order; it collects the outcome and what is done."""

    def __init__(
        self, executor: ResourceExecutor, resource_types: ResourceTypes, order: DeletionOrder, *, whole_stack: bool
    ) -> None:
        self._executor = executor
        self._resource_types = resource_types
        self._order = order
        self._whole_stack = whole_stack
        self._type_names = {name: each.type_name for name, each in executor.state_manager.state.resources.items()}
        self.outcome = Outcome("teardown")
        # All that is gone, by a call of its own or with another.
        self.done: set[str] = set()

    def run(self) -> None:
        """Delete all, each as early as it can be."""
        clock = self._executor.clock
        DagExecutor(self._order.graph(self._is_alongside), self._begin, stopped=lambda: clock.stopped).run()

    def _is_alongside(self, name: str, other: str) -> bool:
        return self._type_names[other] in self._resource_types[self._type_names[name]].deleted_alongside

    def _begin(self, end: DeleteStage) -> Work[DeleteStage] | None:
        if end.milestone == "gone":
            return None
        return lambda report_stage: self._delete(end.logical_id, report_stage)

    def _delete(self, name: str, report_stage: ReportStage[DeleteStage]) -> None:
        """Delete a resource, those that its call deletes too, and what AWS deletes with it."""
        state = self._executor.state_manager.state
        names = [*self._order.lists.get(name, ()), name]
        resources = [recorded_resource(state, each, self._resource_types) for each in names]
        if len(resources) > 1 and self._delete_list(resources):
            report_stage(DeleteStage(name, "going"))
            report_stage(DeleteStage(name, "gone"))
            return
        for managed in resources:
            is_last = managed is resources[-1]
            if is_last and self.outcome.failed.keys() & set(names):
                report_stage = _report_nothing  # what waits for this one waits for the others, too
            delete_and_report(
                self._executor,
                managed,
                self.outcome,
                report_stage if is_last else _report_nothing,
                whole_stack=self._whole_stack,
            )
        self.done |= set(names) - self.outcome.failed.keys()
        if name not in self.outcome.failed:
            self._remove_parts(name)

    def _delete_list(self, resources: list[ManagedResource]) -> bool:
        """Delete several resources by one call; return False if each must be deleted by itself."""
        clock, publish = self._executor.clock, self._executor.publish
        start = clock.now()
        if not all(managed.spec.id for managed in resources) or not self._executor.delete_list(resources):
            return False
        for managed in resources:
            name = managed.spec.logical_id
            publish(Event("starting", name, "delete"))
            publish(Event("gone", name, "delete", seconds=clock.now() - start, id=managed.spec.id))
            self.done.add(name)
        return True

    def _remove_parts(self, owner: str) -> None:
        """Remove the resources from the state that AWS has deleted with their owner, and report them.

        If the owner is kept or is somebody else's by now, they are as it is.
        """
        executor, outcome = self._executor, self.outcome
        for part in self._order.parts_of(owner):
            resource_state = executor.state_manager.get(part)
            executor.publish(Event("starting", part, "delete"))
            if owner in outcome.kept:
                outcome.kept[part] = outcome.kept[owner]
            executor.state_manager.remove(part, deleted=owner not in outcome.kept and owner not in outcome.foreign)
            executor.publish(Event("gone", part, "delete", id=resource_state.id if resource_state else ""))
            self.done.add(part)


def _report_nothing(_stage: DeleteStage) -> None:
    """Report no stage to the scheduler."""


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
        if retention_reason := executor.delete(managed, on_accepted, checked_later=whole_stack):
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
