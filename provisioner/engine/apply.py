"""Carry a plan out in parallel, cut traffic over to what is new, and delete what is no longer declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from provisioner.engine.act import Hands
from provisioner.engine.adopt import borrowed, take_over
from provisioner.engine.aside import ease, leave_behind, make_room
from provisioner.engine.beats import CutoverPhase
from provisioner.engine.critical import Stage, stages
from provisioner.engine.decide import STILL_GOING, Change, decide, with_extras
from provisioner.engine.doubt import record_outdated_secrets
from provisioner.engine.events import Event, end_of
from provisioner.engine.explain import explain
from provisioner.engine.graph import Resource
from provisioner.engine.handover import Handover
from provisioner.engine.known import Known
from provisioner.engine.outcome import FATAL, Outcome
from provisioner.engine.outputs import outputs_of
from provisioner.engine.plan import Plan, ResourceTypes, look_up, target_of
from provisioner.engine.private import to_recorded
from provisioner.engine.refs import JsonObject, fingerprint_secrets, resolve
from provisioner.engine.target import ManagedResource
from provisioner.engine.teardown import remove, take_down, target_in
from provisioner.engine.twice import marker_first
from provisioner.engine.walk import Tell, Walk, Work
from provisioner.errors import Blocked, NotBefore
from state.stack_state import ResourceState


class Apply:
    """One apply: the plan, the executor that carries it out, and what became known since."""

    def __init__(self, plan: Plan, hands: Hands, resource_types: ResourceTypes) -> None:
        self.plan = plan
        self.hands = hands
        self.kinds = resource_types
        self.outcome = Outcome("apply")
        self._known = Known(plan.docs)
        self._after = plan.stack.created_after_marker()
        self._handover = Handover(plan, hands, self._known)

    def run(self) -> Outcome:
        """Carry the plan out, then delete the resources that are no longer declared.

        The cutover and the deletions follow only where nothing is left undone and nothing failed, apart from
        changes that AWS accepts only later.
        """
        start = self.hands.clock.now()
        stack = self.plan.stack
        record_outdated_secrets(self.hands, self.plan)
        graph = stages({resource.logical_id: resource.edges for resource in stack})
        for name, others in self.plan.takes.items():
            graph[Stage(name, "exists")] |= {Stage(other, "gone") for other in others}
        for name, others in self.plan.early.items():
            graph[Stage(name, "gone")] = {Stage(other, "gone") for other in others}
        marker_first(self.plan, graph)
        done = Walk(graph, self._begin, stopped=lambda: self.hands.clock.stopped).run()
        self.outcome.done = [resource.logical_id for resource in stack if Stage(resource.logical_id, "ready") in done]
        held = {*self.outcome.done, *self.outcome.failed}
        self.outcome.undone = [resource.logical_id for resource in stack if resource.logical_id not in held]
        if self._put_off() and not self.outcome.undone:
            self._hand_over()
        if self._put_off() and not self.outcome.undone:
            self._remove(self._undeclared())
            self._keep_outputs()
        self.outcome.seconds = self.hands.clock.now() - start
        self.outcome.leave_out(self.plan.kept, self.plan.roles)
        return self.outcome

    def take_over_found(self) -> None:
        """Adopt each resource of the stack that the plan found in AWS and that the state does not know."""
        for resource in self.plan.stack:
            change, actual = self.plan.changes[resource.logical_id], self._known.docs.get(resource.logical_id)
            if resource.type.write_only and not change.adopts:
                self._say_how_to_end(resource)
            if actual is None or change.foreign or not change.adopts or resource.type.account_wide:
                continue
            desired = resolve(resource.props, lambda ref: look_up(self.plan, ref))
            managed = self._target(resource, desired, None).with_id(change.id)
            take_over(self.hands, managed, change, self.hands.ledger.get(resource.logical_id))

    def _say_how_to_end(self, resource: Resource) -> None:
        """Record how a resource is declared to be deleted, as with a last snapshot: AWS never tells it."""
        resource_state = self.hands.ledger.get(resource.logical_id)
        if resource_state and resource_state.id:
            will = to_recorded(
                resource.type.delete_options(resource_state.desired, resource.props), self.hands.ledger.salt
            )
            self.hands.ledger.record_adopted(
                resource.logical_id, replace(resource_state, desired=resource_state.desired | will)
            )

    def _begin(self, stage: Stage) -> Work[Stage] | None:
        # The work of a stage; "ready" has none, as the work of "exists" reports it, too.
        if stage.what == "ready":
            return None
        if stage.what == "gone":
            going = target_in(self.hands.ledger.state, stage.name, self.kinds)
            return lambda tell: take_down(
                self.hands, going, self.outcome, lambda end: tell(stage) if end.what == "gone" else None
            )
        resource = self.plan.stack.resources[stage.name]
        return lambda tell: self._bring_up(resource, lambda: self._act(resource, tell), tell)

    def _hand_over(self) -> None:
        """Run the cutover phases after JOIN, for all resources that name the new one beside the old one."""
        for phase in list(CutoverPhase)[1:]:
            if phase is CutoverPhase.LEAVE:
                # An undeclared rule that still forwards to the old one would forward to nobody from then on.
                self._remove({name for name in self._undeclared() if self._goes_first(name)})
            if not self._put_off():
                return
            graph: dict[Stage, set[Stage]] = {Stage(name, "ready"): set() for name in self._handover.between}
            Walk(graph, partial(self._begin_beat, phase), stopped=lambda: self.hands.clock.stopped).run()
            if self.hands.clock.stopped:
                return

    def _put_off(self) -> bool:
        """Return whether nothing failed, apart from changes that AWS accepts only at a later time."""
        return all(isinstance(error, NotBefore) for error in self.outcome.failed.values())

    def _begin_beat(self, phase: CutoverPhase, stage: Stage) -> Work[Stage]:
        resource = self.plan.stack.resources[stage.name]
        return lambda tell: self._bring_up(resource, lambda: self._step(resource, phase), tell, phase.name.lower())

    def _step(self, resource: Resource, phase: CutoverPhase) -> str:
        """Bring one resource to what it should be in a phase of the cutover; return the action taken."""
        desired, resource_state = self._wanted(resource), self.hands.ledger.get(resource.logical_id)
        managed = self._target(resource, desired, resource_state)
        actual = self.hands.read(managed)
        if actual is None:
            raise Blocked(f"{managed.description} was deleted behind our back.", "Run the same command again.")
        managed = managed.with_props(resource.type.properties_at(phase, desired, actual, self._handover.led()))
        change = decide(resource, resource_state, actual, managed.spec.props)
        self.hands.listen(Event("starting", resource.logical_id, change.verb))
        self._carry_out(managed, change, lambda _stage: None)
        return change.verb

    def _wanted(self, resource: Resource) -> JsonObject:
        """Return the desired properties of a resource, with each secret in the form that is compared."""
        lookup = self._known.wait_for
        return dict(fingerprint_secrets(resolve(resource.props, lookup), self.hands.clients, lookup))

    def _bring_up(self, resource: Resource, act: Callable[[], str], tell: Tell[Stage], phase: str = "") -> None:
        # Run `act`, note its failure, and report its end to the listener and to the walk.
        listen, clock = self.hands.listen, self.hands.clock
        start = clock.now()
        try:
            verb = act()
        except Exception as error:
            doing = f"{self.plan.changes[resource.logical_id].verb} {resource.aws_name or resource.logical_id}"
            known = explain(error, doing, resource.type.error_remedies)
            if known is None:
                raise
            self.outcome.failed[resource.logical_id] = known
            if isinstance(known, FATAL):
                clock.stop()
            listen(Event(end_of(known), resource.logical_id, detail=known.message, seconds=clock.now() - start))
            return
        finally:
            self._known.end(resource.logical_id)
        id_ = self._known.docs[resource.logical_id]["id"]
        listen(Event("ready", resource.logical_id, verb, phase, clock.now() - start, id_))
        tell(Stage(resource.logical_id, "ready"))

    def _act(self, resource: Resource, tell: Tell[Stage]) -> str:
        # Decide again by what is known now, prepare an adoption or replacement, then carry the change out.
        state_manager = self.hands.ledger
        desired = self._wanted(resource)
        resource_state = state_manager.get(resource.logical_id)
        planned = self.plan.changes[resource.logical_id]
        managed = self._target(resource, desired, resource_state)
        late = planned.verb == "create"
        actual = borrowed(self.hands, self._known, managed) if late else self._known.docs.get(resource.logical_id)
        change = with_extras(decide(resource, resource_state, actual, desired), planned.extras)
        if actual is not None and change.verb in ("update", "finish"):
            desired, change = self._handover.joined(resource, resource_state, actual, desired, change)
            managed = managed.with_props(desired)
        if change.verb == "refuse":
            raise Blocked(f"{resource.aws_name or resource.logical_id}: {change.why}.")
        if planned.why == STILL_GOING:
            self.hands.watch.until_gone(managed)
        if change.verb == "create":
            leave_behind(self.hands, resource, resource_state, desired)
            managed = managed.with_id("")
        if actual is not None and change.verb != "replace" and not change.foreign:
            managed = managed.with_id(change.id)
            take_over(self.hands, managed, change, resource_state)
        if change.verb == "replace":
            make_room(self.hands, resource, managed.with_id(change.id), resource_state)
            managed = self._target(resource, desired, None)
        ease(self.hands, self.kinds, resource, desired)
        self.hands.listen(Event("starting", resource.logical_id, change.verb))
        self._carry_out(managed, change, tell)
        if resource.logical_id in self.hands.met or (change.verb == "finish" and resource.type.immutable_until_ready):
            self._mend(resource, managed, desired)
        return change.verb

    def _mend(self, resource: Resource, managed: ManagedResource, desired: JsonObject) -> None:
        """Compare a resource that could not be compared before, and update it where it differs.

        It was not ready then, or its create call found that it exists already.
        """
        resource_state, actual = self.hands.ledger.get(resource.logical_id), self._known.docs.get(resource.logical_id)
        change = decide(resource, resource_state, actual, desired)
        if change.verb == "update":
            self._carry_out(managed.with_id(change.id), change, lambda _stage: None)
        elif change.verb == "keep":
            take_over(self.hands, managed.with_id(change.id), change, resource_state)
            self._settle(resource.logical_id)

    def _carry_out(self, managed: ManagedResource, change: Change, tell: Tell[Stage]) -> None:
        name = managed.spec.logical_id
        if change.verb in ("create", "replace"):
            managed = self._handover.born(managed)
            actual = self.hands.create(managed)
            managed = managed.with_reply(managed.type.id_of(actual), actual)
            self._known.learn(managed, actual)
            self.hands.listen(Event("exists", name, change.verb, id=managed.spec.id))
        tell(Stage(name, "exists"))
        if change.verb == "update":
            managed = self.hands.update(managed, change)
        if change.verb == "keep":
            self._settle(name)
            return
        self.hands.finish(
            managed, updated=change.verb == "update", actual=lambda actual: self._known.learn(managed, actual)
        )

    def _settle(self, name: str) -> None:
        resource_state = self.hands.ledger.get(name)
        if resource_state and (
            resource_state.phase != "ready"
            or resource_state.recorded != resource_state.desired
            or resource_state.intent
        ):
            self.hands.confirm(name, self.plan.stack.resources[name].type)

    def _target(self, resource: Resource, desired: JsonObject, resource_state: ResourceState | None) -> ManagedResource:
        away = self.hands.ledger.state.ids_of_others(resource.logical_id, str(resource.type), resource.region)
        managed = target_of(resource, self.plan.stack.suffix, resource_state, desired, away)
        last = {self.plan.stack.marker} if resource.logical_id in self._after else set()
        needs = (*managed.depends_on, *last.difference(managed.depends_on))
        return replace(managed, lookup=self._known.wait_for, depends_on=needs)

    def _undeclared(self) -> set[str]:
        # The names in the state that are no longer declared, without those that stay or were not selected.
        declared = self.plan.stack.resources
        return {
            name
            for name, resource_state in self.hands.ledger
            if name not in declared and not self.kinds[resource_state.type_name].retained
        } - self.plan.aside

    def _goes_first(self, name: str) -> bool:
        return self.kinds[self.hands.ledger.state.resources[name].type_name].deleted_first

    def _remove(self, names: set[str]) -> None:
        if names:
            removed = remove(self.hands, self.kinds, only=names)
            self.outcome.done += removed.done
            self.outcome.failed |= removed.failed
            self.outcome.kept |= removed.kept
            self.outcome.theirs |= removed.theirs
            self.outcome.undone += removed.undone

    def _keep_outputs(self) -> None:
        state_manager, plan = self.hands.ledger, self.plan
        known = state_manager.state.outputs if plan.whole else {}
        order, outputs = list((plan.whole or plan).stack.resources), known | outputs_of(plan, self._known.docs)
        state_manager.record_outputs(order, outputs, whole=plan.whole is None)
