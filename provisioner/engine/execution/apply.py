"""Carry a plan out in parallel, cut traffic over to what is new, and delete what is no longer declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from provisioner.engine.calls.user_errors import user_error
from provisioner.engine.estimates.critical_path import Stage, create_graph
from provisioner.engine.execution.actual_states import ActualStates, outputs_of
from provisioner.engine.execution.adoption import adopt, find_existing, record_delete_options
from provisioner.engine.execution.events import Event, end_type_of
from provisioner.engine.execution.executor import ResourceExecutor
from provisioner.engine.execution.managed_resource import ManagedResource
from provisioner.engine.execution.outcome import FATAL, Outcome
from provisioner.engine.execution.replaced_secrets import record_outdated_secrets
from provisioner.engine.execution.replacement import depose_moved, depose_or_delete, relax_deposed
from provisioner.engine.execution.scheduler import DagExecutor, ReportStage, Work
from provisioner.engine.execution.teardown import delete_and_report, delete_recorded, recorded_resource
from provisioner.engine.execution.traffic_cutover import Cutover
from provisioner.engine.planning.change import Change, with_unmanaged
from provisioner.engine.planning.plan import Plan, ResourceTypes, managed_resource_of
from provisioner.engine.planning.planner import PREDECESSOR_IS_DELETING, decide_change
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject, fingerprint_secrets, resolve
from provisioner.engine.run_marker.watch import put_marker_first
from provisioner.engine.types.data import CutoverPhase
from provisioner.errors import Blocked, CooldownActive
from state.stack_state import ResourceState


class Apply:
    """One apply: the plan, the executor that carries it out, and what became known since."""

    def __init__(self, plan: Plan, executor: ResourceExecutor, resource_types: ResourceTypes) -> None:
        self.plan = plan
        self.executor = executor
        self.resource_types = resource_types
        self.outcome = Outcome("apply")
        self._state_manager = executor.state_manager
        self._actual_states = ActualStates(plan.actual)
        self._created_after_marker = plan.stack.created_after_marker()
        self._cutover = Cutover(plan, executor, self._actual_states)

    def run(self) -> Outcome:
        """Carry the plan out, then delete the resources that are no longer declared.

        The cutover and the deletions follow only where nothing is left undone and nothing failed, apart from
        changes that AWS accepts only later.
        """
        start = self.executor.clock.now()
        stack = self.plan.stack
        record_outdated_secrets(self.executor, self.plan)
        graph = create_graph({resource.logical_id: resource.edges for resource in stack})
        for name, other_names in self.plan.delete_before.items():
            graph[Stage(name, "exists")] |= {Stage(other, "gone") for other in other_names}
        for name, other_names in self.plan.delete_first.items():
            graph[Stage(name, "gone")] = {Stage(other, "gone") for other in other_names}
        put_marker_first(self.plan, graph)
        done = DagExecutor(graph, self._stage_work, stopped=lambda: self.executor.clock.stopped).run()
        self.outcome.done = [resource.logical_id for resource in stack if Stage(resource.logical_id, "ready") in done]
        handled = {*self.outcome.done, *self.outcome.failed}
        self.outcome.undone = [resource.logical_id for resource in stack if resource.logical_id not in handled]
        if self._has_no_failures_but_deferred() and not self.outcome.undone:
            self._run_cutover()
        if self._has_no_failures_but_deferred() and not self.outcome.undone:
            self._delete_undeclared(self._undeclared_names())
            self._record_outputs()
        self.outcome.seconds = self.executor.clock.now() - start
        self.outcome.exclude(self.plan.unchanged, self.plan.roles)
        return self.outcome

    def adopt_found(self) -> None:
        """Adopt each resource of the stack that the plan found in AWS and that the state does not know."""
        for resource in self.plan.stack:
            change = self.plan.changes[resource.logical_id]
            actual = self._actual_states.properties.get(resource.logical_id)
            if resource.type.write_only and not change.adopts:
                record_delete_options(self._state_manager, resource)
            if actual is None or change.foreign or not change.adopts or resource.type.account_wide:
                continue
            desired = self.plan.resolved_properties(resource)
            managed = self._managed_resource(resource, desired, None).with_id(change.id)
            adopt(self.executor, managed, change, self._state_manager.get(resource.logical_id))

    def _stage_work(self, stage: Stage) -> Work[Stage] | None:
        """Return the work of a stage; None for "ready", which the work of "exists" reports, too."""
        if stage.milestone == "ready":
            return None
        if stage.milestone == "gone":
            managed = recorded_resource(self._state_manager.state, stage.logical_id, self.resource_types)
            return lambda report_stage: delete_and_report(
                self.executor,
                managed,
                self.outcome,
                lambda end: report_stage(stage) if end.milestone == "gone" else None,
            )
        resource = self.plan.stack.resources[stage.logical_id]
        return lambda report_stage: self._run_and_report(
            resource, lambda: self._apply_change(resource, report_stage), report_stage
        )

    def _run_cutover(self) -> None:
        """Run the cutover phases after JOIN, for all resources that name the new one beside the old one."""
        for phase in list(CutoverPhase)[1:]:
            if phase is CutoverPhase.LEAVE:
                # An undeclared rule that still forwards to the old one would forward to nobody from then on.
                self._delete_undeclared({name for name in self._undeclared_names() if self._is_deleted_first(name)})
            if not self._has_no_failures_but_deferred():
                return
            graph: dict[Stage, set[Stage]] = {Stage(name, "ready"): set() for name in self._cutover.later_phase_names}
            DagExecutor(graph, partial(self._phase_work, phase), stopped=lambda: self.executor.clock.stopped).run()
            if self.executor.clock.stopped:
                return

    def _has_no_failures_but_deferred(self) -> bool:
        """Return whether nothing failed, apart from changes that AWS accepts only at a later time."""
        return all(isinstance(error, CooldownActive) for error in self.outcome.failed.values())

    def _phase_work(self, phase: CutoverPhase, stage: Stage) -> Work[Stage]:
        """Return the work that brings one resource to a phase of the cutover."""
        resource = self.plan.stack.resources[stage.logical_id]
        return lambda report_stage: self._run_and_report(
            resource, lambda: self._apply_cutover_phase(resource, phase), report_stage, phase.name.lower()
        )

    def _apply_cutover_phase(self, resource: Resource, phase: CutoverPhase) -> str:
        """Bring one resource to what it should be in a phase of the cutover; return the action taken."""
        desired, resource_state = self._desired_properties(resource), self._state_manager.get(resource.logical_id)
        managed = self._managed_resource(resource, desired, resource_state)
        actual = self.executor.read(managed)
        if actual is None:
            raise Blocked(f"{managed.description} was deleted outside of this tool.", "Run the same command again.")
        managed = managed.with_props(resource.type.properties_at(phase, desired, actual, self._cutover.serving()))
        change = decide_change(resource, resource_state, actual, managed.spec.props)
        self.executor.publish(Event("starting", resource.logical_id, change.action))
        self._execute_change(managed, change, lambda _stage: None)
        return change.action

    def _desired_properties(self, resource: Resource) -> JsonObject:
        """Return the desired properties of a resource, with each secret in the form that is compared."""
        lookup = self._actual_states.wait_for
        return dict(fingerprint_secrets(resolve(resource.props, lookup), self.executor.clients, lookup))

    def _run_and_report(
        self, resource: Resource, act: Callable[[], str], report_stage: ReportStage[Stage], phase: str = ""
    ) -> None:
        """Run `act`, record its failure, and report its end to the listener and to the scheduler.

        `act` carries out the change of the resource and returns the action taken; `phase` is the phase of the
        cutover, for the report.
        """
        publish, clock = self.executor.publish, self.executor.clock
        start = clock.now()
        try:
            action = act()
        except Exception as error:
            doing = f"{self.plan.changes[resource.logical_id].action} {resource.aws_name or resource.logical_id}"
            failure = user_error(error, doing, resource.type.error_remedies)
            if failure is None:
                raise
            self.outcome.failed[resource.logical_id] = failure
            if isinstance(failure, FATAL):
                clock.stop()
            publish(
                Event(end_type_of(failure), resource.logical_id, detail=failure.message, seconds=clock.now() - start)
            )
            return
        finally:
            self._actual_states.close(resource.logical_id)
        id_ = self._actual_states.properties[resource.logical_id]["id"]
        publish(Event("ready", resource.logical_id, action, phase, clock.now() - start, id_))
        report_stage(Stage(resource.logical_id, "ready"))

    def _apply_change(self, resource: Resource, report_stage: ReportStage[Stage]) -> str:
        """Decide the change again by what is known now, carry it out, and return the action taken."""
        name, desired = resource.logical_id, self._desired_properties(resource)
        resource_state, planned = self._state_manager.get(name), self.plan.changes[name]
        managed = self._managed_resource(resource, desired, resource_state)
        if planned.action == "create":
            actual = find_existing(self.executor, self._actual_states, managed)
        else:
            actual = self._actual_states.properties.get(name)
        change = with_unmanaged(decide_change(resource, resource_state, actual, desired), planned.unmanaged)
        if actual is not None and change.action in ("update", "finish"):
            desired, change = self._cutover.join(resource, resource_state, actual, desired, change)
            managed = managed.with_props(desired)
        if change.action == "refuse":
            raise Blocked(f"{resource.aws_name or name}: {change.reason}.")
        if planned.reason == PREDECESSOR_IS_DELETING:
            self.executor.waiter.wait_until_deleted(managed)
        managed = self._prepare(resource, managed, change, resource_state, exists=actual is not None)
        relax_deposed(self.executor, self.resource_types, resource, desired)
        self.executor.publish(Event("starting", name, change.action))
        self._execute_change(managed, change, report_stage)
        is_finished = change.action == "finish" and resource.type.immutable_until_ready
        if is_finished or name in self.executor.already_existing:
            self._update_if_different(resource, managed, desired)
        return change.action

    def _prepare(
        self,
        resource: Resource,
        managed: ManagedResource,
        change: Change,
        resource_state: ResourceState | None,
        *,
        exists: bool,
    ) -> ManagedResource:
        """Adopt, depose or delete the existing resource as the change needs it; return the resource to work on."""
        desired = managed.spec.props
        if change.action == "replace":
            depose_or_delete(self.executor, resource, managed.with_id(change.id), resource_state)
            return self._managed_resource(resource, desired, None)
        if change.action == "create":
            depose_moved(self.executor, resource, resource_state, desired)
            managed = managed.with_id("")
        if exists and not change.foreign:
            managed = managed.with_id(change.id)
            adopt(self.executor, managed, change, resource_state)
        return managed

    def _update_if_different(self, resource: Resource, managed: ManagedResource, desired: JsonObject) -> None:
        """Compare a resource that could not be compared before, and update it where it differs.

        It was not ready then, or its create call found that it exists already.
        """
        resource_state = self._state_manager.get(resource.logical_id)
        actual = self._actual_states.properties.get(resource.logical_id)
        change = decide_change(resource, resource_state, actual, desired)
        if change.action == "update":
            self._execute_change(managed.with_id(change.id), change, lambda _stage: None)
        elif change.action == "keep":
            adopt(self.executor, managed.with_id(change.id), change, resource_state)
            self._confirm_unchanged(resource.logical_id)

    def _execute_change(self, managed: ManagedResource, change: Change, report_stage: ReportStage[Stage]) -> None:
        """Create or update a resource, report that it exists, and wait until it is ready."""
        name = managed.spec.logical_id
        if change.action in ("create", "replace"):
            managed = self._cutover.initial(managed)
            actual = self.executor.create(managed)
            managed = managed.with_reply(managed.type.id_of(actual), actual)
            self._actual_states.record(managed, actual)
            self.executor.publish(Event("exists", name, change.action, id=managed.spec.id))
        report_stage(Stage(name, "exists"))
        if change.action == "update":
            managed = self.executor.update(managed, change)
        if change.action == "keep":
            self._confirm_unchanged(name)
            return
        self.executor.wait_and_confirm(
            managed,
            updated=change.action == "update",
            on_read=lambda actual: self._actual_states.record(managed, actual),
        )

    def _confirm_unchanged(self, name: str) -> None:
        """Record that AWS holds the desired properties, unless the state says so already."""
        resource_state = self._state_manager.get(name)
        if resource_state and not resource_state.is_confirmed:
            self.executor.confirm(name, self.plan.stack.resources[name].type)

    def _managed_resource(
        self, resource: Resource, desired: JsonObject, resource_state: ResourceState | None
    ) -> ManagedResource:
        """Return the resource to work on; it is deleted before the marker if it was created after it."""
        excluded_ids = self._state_manager.state.ids_of_others(resource.logical_id, str(resource.type), resource.region)
        managed = managed_resource_of(resource, self.plan.stack.suffix, resource_state, desired, excluded_ids)
        marker_names = {self.plan.stack.marker} if resource.logical_id in self._created_after_marker else set()
        depends_on = (*managed.depends_on, *marker_names.difference(managed.depends_on))
        return replace(managed, lookup=self._actual_states.wait_for, depends_on=depends_on)

    def _undeclared_names(self) -> set[str]:
        """Return the names in the state that are no longer declared, without those that stay or were not selected."""
        declared = self.plan.stack.resources
        return {
            name
            for name, resource_state in self._state_manager
            if name not in declared and not self.resource_types[resource_state.type_name].retained
        } - self.plan.excluded

    def _is_deleted_first(self, name: str) -> bool:
        return self.resource_types[self._state_manager.state.resources[name].type_name].deleted_first

    def _delete_undeclared(self, names: set[str]) -> None:
        if names:
            self.outcome.add(delete_recorded(self.executor, self.resource_types, only=names))

    def _record_outputs(self) -> None:
        """Record the outputs; after a run with a selection, those that did not become known stay as they were."""
        plan, is_whole = self.plan, self.plan.unfiltered is None
        former = {} if is_whole else self._state_manager.state.outputs
        outputs = former | outputs_of(plan, self._actual_states.properties)
        self._state_manager.record_outputs(
            list((plan.unfiltered or plan).stack.resources), outputs, is_whole_stack=is_whole
        )
