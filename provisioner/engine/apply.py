"""Carry a plan out in parallel, cut traffic over to what is new, and delete what is no longer declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from provisioner.engine.act import Hands
from provisioner.engine.adopt import borrowed, take_over
from provisioner.engine.aside import ease, leave_behind, make_room
from provisioner.engine.beats import Beat
from provisioner.engine.critical import Stage, stages
from provisioner.engine.decide import STILL_GOING, Change, decide, with_extras
from provisioner.engine.doubt import doubt
from provisioner.engine.events import Event, end_of
from provisioner.engine.explain import explain
from provisioner.engine.graph import Node
from provisioner.engine.handover import Handover
from provisioner.engine.known import Known
from provisioner.engine.outcome import FATAL, Outcome
from provisioner.engine.outputs import outputs_of
from provisioner.engine.plan import Kinds, Plan, look_up, target_of
from provisioner.engine.private import written
from provisioner.engine.refs import Doc, resolve, seal
from provisioner.engine.target import Target
from provisioner.engine.teardown import remove, take_down, target_in
from provisioner.engine.twice import marker_first
from provisioner.engine.walk import Tell, Walk, Work
from provisioner.errors import Blocked, NotBefore
from state.stack_state import ResourceState


class Apply:
    """One apply: the plan, the executor that carries it out, and what became known since."""

    def __init__(self, plan: Plan, hands: Hands, kinds: Kinds) -> None:
        self.plan = plan
        self.hands = hands
        self.kinds = kinds
        self.outcome = Outcome("apply")
        self._known = Known(plan.docs)
        self._after = plan.stack.after_marker()
        self._handover = Handover(plan, hands, self._known)

    def run(self) -> Outcome:
        """Carry the plan out, then delete the resources that are no longer declared.

        The cutover and the deletions follow only where nothing is left undone and nothing failed, apart from
        changes that AWS accepts only later.
        """
        start = self.hands.clock.now()
        stack = self.plan.stack
        doubt(self.hands, self.plan)
        graph = stages({node.name: node.edges for node in stack})
        for name, others in self.plan.takes.items():
            graph[Stage(name, "exists")] |= {Stage(other, "gone") for other in others}
        for name, others in self.plan.early.items():
            graph[Stage(name, "gone")] = {Stage(other, "gone") for other in others}
        marker_first(self.plan, graph)
        done = Walk(graph, self._begin, stopped=lambda: self.hands.clock.stopped).run()
        self.outcome.done = [node.name for node in stack if Stage(node.name, "ready") in done]
        held = {*self.outcome.done, *self.outcome.failed}
        self.outcome.undone = [node.name for node in stack if node.name not in held]
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
        for node in self.plan.stack:
            change, doc = self.plan.changes[node.name], self._known.docs.get(node.name)
            if node.kind.unread and not change.adopts:
                self._say_how_to_end(node)
            if doc is None or change.foreign or not change.adopts or node.kind.shared:
                continue
            wanted = resolve(node.props, lambda ref: look_up(self.plan, ref))
            target = self._target(node, wanted, None).with_id(change.id)
            take_over(self.hands, target, change, self.hands.ledger.get(node.name))

    def _say_how_to_end(self, node: Node) -> None:
        """Record how a resource is declared to be deleted, as with a last snapshot: AWS never tells it."""
        resource_state = self.hands.ledger.get(node.name)
        if resource_state and resource_state.id:
            will = written(node.kind.last_will(resource_state.desired, node.props), self.hands.ledger.salt)
            self.hands.ledger.record_adopted(node.name, replace(resource_state, desired=resource_state.desired | will))

    def _begin(self, stage: Stage) -> Work[Stage] | None:
        # The work of a stage; "ready" has none, as the work of "exists" reports it, too.
        if stage.what == "ready":
            return None
        if stage.what == "gone":
            going = target_in(self.hands.ledger.state, stage.name, self.kinds)
            return lambda tell: take_down(
                self.hands, going, self.outcome, lambda end: tell(stage) if end.what == "gone" else None
            )
        node = self.plan.stack.nodes[stage.name]
        return lambda tell: self._bring_up(node, lambda: self._act(node, tell), tell)

    def _hand_over(self) -> None:
        """Run the cutover phases after JOIN, for all resources that name the new one beside the old one."""
        for beat in list(Beat)[1:]:
            if beat is Beat.LEAVE:
                # An undeclared rule that still forwards to the old one would forward to nobody from then on.
                self._remove({name for name in self._undeclared() if self._goes_first(name)})
            if not self._put_off():
                return
            graph: dict[Stage, set[Stage]] = {Stage(name, "ready"): set() for name in self._handover.between}
            Walk(graph, partial(self._begin_beat, beat), stopped=lambda: self.hands.clock.stopped).run()
            if self.hands.clock.stopped:
                return

    def _put_off(self) -> bool:
        """Return whether nothing failed, apart from changes that AWS accepts only at a later time."""
        return all(isinstance(error, NotBefore) for error in self.outcome.failed.values())

    def _begin_beat(self, beat: Beat, stage: Stage) -> Work[Stage]:
        node = self.plan.stack.nodes[stage.name]
        return lambda tell: self._bring_up(node, lambda: self._step(node, beat), tell, beat.name.lower())

    def _step(self, node: Node, beat: Beat) -> str:
        """Bring one resource to what it should be in a phase of the cutover; return the action taken."""
        wanted, resource_state = self._wanted(node), self.hands.ledger.get(node.name)
        target = self._target(node, wanted, resource_state)
        seen = self.hands.read(target)
        if seen is None:
            raise Blocked(f"{target.words} was deleted behind our back.", "Run the same command again.")
        target = target.shaped(node.kind.during(beat, wanted, seen, self._handover.led()))
        change = decide(node, resource_state, seen, target.it.props)
        self.hands.listen(Event("starting", node.name, change.verb))
        self._carry_out(target, change, lambda _stage: None)
        return change.verb

    def _wanted(self, node: Node) -> Doc:
        """Return the desired properties of a resource, with each secret in the form that is compared."""
        lookup = self._known.wait_for
        return dict(seal(resolve(node.props, lookup), self.hands.clients, lookup))

    def _bring_up(self, node: Node, act: Callable[[], str], tell: Tell[Stage], beat: str = "") -> None:
        # Run `act`, note its failure, and report its end to the listener and to the walk.
        listen, clock = self.hands.listen, self.hands.clock
        start = clock.now()
        try:
            verb = act()
        except Exception as error:
            doing = f"{self.plan.changes[node.name].verb} {node.aws_name or node.name}"
            known = explain(error, doing, node.kind.ways_past)
            if known is None:
                raise
            self.outcome.failed[node.name] = known
            if isinstance(known, FATAL):
                clock.stop()
            listen(Event(end_of(known), node.name, detail=known.message, seconds=clock.now() - start))
            return
        finally:
            self._known.end(node.name)
        id_ = self._known.docs[node.name]["id"]
        listen(Event("ready", node.name, verb, beat, clock.now() - start, id_))
        tell(Stage(node.name, "ready"))

    def _act(self, node: Node, tell: Tell[Stage]) -> str:
        # Decide again by what is known now, prepare an adoption or replacement, then carry the change out.
        state_manager = self.hands.ledger
        wanted = self._wanted(node)
        resource_state = state_manager.get(node.name)
        planned = self.plan.changes[node.name]
        target = self._target(node, wanted, resource_state)
        late = planned.verb == "create"
        seen = borrowed(self.hands, self._known, target) if late else self._known.docs.get(node.name)
        change = with_extras(decide(node, resource_state, seen, wanted), planned.extras)
        if seen is not None and change.verb in ("update", "finish"):
            wanted, change = self._handover.joined(node, resource_state, seen, wanted, change)
            target = target.shaped(wanted)
        if change.verb == "refuse":
            raise Blocked(f"{node.aws_name or node.name}: {change.why}.")
        if planned.why == STILL_GOING:
            self.hands.watch.until_gone(target)
        if change.verb == "create":
            leave_behind(self.hands, node, resource_state, wanted)
            target = target.with_id("")
        if seen is not None and change.verb != "replace" and not change.foreign:
            target = target.with_id(change.id)
            take_over(self.hands, target, change, resource_state)
        if change.verb == "replace":
            make_room(self.hands, node, target.with_id(change.id), resource_state)
            target = self._target(node, wanted, None)
        ease(self.hands, self.kinds, node, wanted)
        self.hands.listen(Event("starting", node.name, change.verb))
        self._carry_out(target, change, tell)
        if node.name in self.hands.met or (change.verb == "finish" and node.kind.closed_until_ready):
            self._mend(node, target, wanted)
        return change.verb

    def _mend(self, node: Node, target: Target, wanted: Doc) -> None:
        """Compare a resource that could not be compared before, and update it where it differs.

        It was not ready then, or its create call found that it exists already.
        """
        resource_state, seen = self.hands.ledger.get(node.name), self._known.docs.get(node.name)
        change = decide(node, resource_state, seen, wanted)
        if change.verb == "update":
            self._carry_out(target.with_id(change.id), change, lambda _stage: None)
        elif change.verb == "keep":
            take_over(self.hands, target.with_id(change.id), change, resource_state)
            self._settle(node.name)

    def _carry_out(self, target: Target, change: Change, tell: Tell[Stage]) -> None:
        name = target.it.node
        if change.verb in ("create", "replace"):
            target = self._handover.born(target)
            doc = self.hands.create(target)
            target = target.made(target.kind.id_of(doc), doc)
            self._known.learn(target, doc)
            self.hands.listen(Event("exists", name, change.verb, id=target.it.id))
        tell(Stage(name, "exists"))
        if change.verb == "update":
            target = self.hands.update(target, change)
        if change.verb == "keep":
            self._settle(name)
            return
        self.hands.finish(target, updated=change.verb == "update", seen=lambda doc: self._known.learn(target, doc))

    def _settle(self, name: str) -> None:
        resource_state = self.hands.ledger.get(name)
        if resource_state and (
            resource_state.phase != "ready"
            or resource_state.recorded != resource_state.desired
            or resource_state.intent
        ):
            self.hands.confirm(name, self.plan.stack.nodes[name].kind)

    def _target(self, node: Node, wanted: Doc, resource_state: ResourceState | None) -> Target:
        away = self.hands.ledger.state.ids_of_others(node.name, str(node.kind), node.region)
        target = target_of(node, self.plan.stack.suffix, resource_state, wanted, away)
        last = {self.plan.stack.marker} if node.name in self._after else set()
        needs = (*target.needs, *last.difference(target.needs))
        return replace(target, lookup=self._known.wait_for, needs=needs)

    def _undeclared(self) -> set[str]:
        # The names in the state that are no longer declared, without those that stay or were not selected.
        declared = self.plan.stack.nodes
        return {
            name
            for name, resource_state in self.hands.ledger
            if name not in declared and not self.kinds[resource_state.type_name].stays
        } - self.plan.aside

    def _goes_first(self, name: str) -> bool:
        return self.kinds[self.hands.ledger.state.resources[name].type_name].goes_first

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
        order, outputs = list((plan.whole or plan).stack.nodes), known | outputs_of(plan, self._known.docs)
        state_manager.record_outputs(order, outputs, whole=plan.whole is None)
