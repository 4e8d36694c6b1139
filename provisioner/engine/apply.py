"""Carries a plan out: what is ready to start starts, what exists lets others start, what is ready too."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.engine.act import Hands
from provisioner.engine.critical import Stage, stages
from provisioner.engine.decide import STILL_GOING, Change, decide, with_extras
from provisioner.engine.events import Event
from provisioner.engine.explain import explain
from provisioner.engine.graph import Node
from provisioner.engine.outcome import Outcome
from provisioner.engine.plan import Kinds, Plan, look_up, shunned, target_of
from provisioner.engine.refs import Doc, Ref, Unknown, dig, resolve, seal, unveiled
from provisioner.engine.target import Target
from provisioner.engine.teardown import remove
from provisioner.engine.walk import Tell, Walk, Work
from provisioner.errors import Blocked, CredentialsError, LedgerError, LockHeld, NotBefore, OutOfPatience
from provisioner.names import own_tags
from state.document import Entry

# A value that AWS fills in later than the id (an endpoint) is waited for this long.
_PATH_PATIENCE = 1800.0


class Apply:
    """One apply: the plan, what became known since, and the hands that act."""

    def __init__(self, plan: Plan, hands: Hands, kinds: Kinds) -> None:
        self.plan = plan
        self.hands = hands
        self.kinds = kinds
        self.outcome = Outcome("apply")
        self._known = threading.Condition()
        self._docs: dict[str, Doc] = dict(plan.docs)
        self._ended: set[str] = set()

    def run(self) -> Outcome:
        """Carry the plan out, then delete what is no longer declared."""
        start = self.hands.clock.now()
        stack = self.plan.stack
        graph = stages({node.name: node.edges for node in stack})
        done = Walk(graph, self._begin, stopped=lambda: self.hands.clock.stopped).run()
        self.outcome.done = [node.name for node in stack if Stage(node.name, "ready") in done]
        held = {*self.outcome.done, *self.outcome.failed}
        self.outcome.undone = [node.name for node in stack if node.name not in held]
        put_off = all(isinstance(error, NotBefore) for error in self.outcome.failed.values())
        if put_off and not self.outcome.undone:
            self._remove_undeclared()
            self._keep_outputs()
        self.outcome.seconds = self.hands.clock.now() - start
        return self.outcome

    def take_over_found(self) -> None:
        """Write down everything of the stack that the plan found in AWS and the ledger does not know."""
        for node in self.plan.stack:
            change, doc = self.plan.changes[node.name], self._docs.get(node.name)
            if node.kind.unread and not change.adopts:
                self._say_how_to_end(node)
            if doc is None or change.foreign or not change.adopts or node.kind.shared:
                continue
            wanted = resolve(node.props, lambda ref: look_up(self.plan, ref))
            target = self._target(node, wanted, None).with_id(change.id)
            self._take_over(target, change, self.hands.ledger.get(node.name))

    def _say_how_to_end(self, node: Node) -> None:
        """What AWS never tells, such as whether a last snapshot is taken, is as it is declared now."""
        entry = self.hands.ledger.get(node.name)
        if entry and entry.id:
            will = unveiled(node.kind.last_will(entry.wanted, node.props))
            self.hands.ledger.adopt(node.name, replace(entry, wanted=entry.wanted | will))

    def _begin(self, stage: Stage) -> Work[Stage] | None:
        if stage.what == "ready":
            return None
        return lambda tell: self._bring_up(self.plan.stack.nodes[stage.name], tell)

    def _bring_up(self, node: Node, tell: Tell[Stage]) -> None:
        listen, clock = self.hands.listen, self.hands.clock
        start = clock.now()
        try:
            verb = self._act(node, tell)
        except Exception as error:
            known = explain(error, f"{self.plan.changes[node.name].verb} {node.aws_name or node.name}")
            if known is None:
                raise
            self.outcome.failed[node.name] = known
            if isinstance(known, (LedgerError, LockHeld, CredentialsError)):
                clock.stop()
            listen(Event("failed", node.name, detail=known.message, seconds=clock.now() - start))
            return
        finally:
            with self._known:
                self._ended.add(node.name)
                self._known.notify_all()
        listen(Event("ready", node.name, verb, seconds=clock.now() - start, id=self._docs[node.name]["id"]))
        tell(Stage(node.name, "ready"))

    def _act(self, node: Node, tell: Tell[Stage]) -> str:
        ledger = self.hands.ledger
        wanted = seal(resolve(node.props, self._wait_for), self.hands.clients, self._wait_for)
        entry = ledger.get(node.name)
        planned = self.plan.changes[node.name]
        seen = self._docs.get(node.name) if planned.verb != "create" else None
        change = with_extras(decide(node, entry, seen, wanted), planned.extras)
        if change.verb == "refuse":
            raise Blocked(f"{node.aws_name or node.name}: {change.why}.")
        target = self._target(node, wanted, entry)
        if planned.why == STILL_GOING:
            self.hands.wait_gone(target)
        if change.verb == "create":
            target = target.with_id("")
        if seen is not None and change.verb != "replace":
            target = target.with_id(change.id)
            self._take_over(target, change, entry)
        if change.verb == "replace":
            target = self._make_room(node, target.with_id(change.id), entry)
        self.hands.listen(Event("starting", node.name, change.verb))
        self._carry_out(target, change, tell)
        if change.verb == "finish" and node.kind.closed_until_ready:
            self._mend(node, target, wanted)
        return change.verb

    def _mend(self, node: Node, target: Target, wanted: Doc) -> None:
        """What could not be compared before it was ready is compared now."""
        entry, seen = self.hands.ledger.get(node.name), self._docs.get(node.name)
        change = decide(node, entry, seen, wanted)
        if change.verb == "update":
            self._carry_out(target, change, lambda _stage: None)

    def _carry_out(self, target: Target, change: Change, tell: Tell[Stage]) -> None:
        name = target.it.node
        if change.verb in ("create", "replace"):
            doc = self.hands.create(target)
            target = target.with_id(target.kind.id_of(doc))
            self._learn(target, doc)
            self.hands.listen(Event("exists", name, change.verb, id=target.it.id))
        tell(Stage(name, "exists"))
        if change.verb == "update":
            self.hands.update(target, change)
        if change.verb == "keep":
            self._settle(name)
            return
        self.hands.finish(target, updated=change.verb == "update", seen=lambda doc: self._learn(target, doc))

    def _settle(self, name: str) -> None:
        entry = self.hands.ledger.get(name)
        if entry and (entry.phase != "ready" or entry.confirmed != entry.wanted or entry.intent):
            self.hands.ledger.confirm(name)

    def _take_over(self, target: Target, change: Change, entry: Entry | None) -> None:
        """Bring the ledger up to what is there: adopt it, or keep what was asked of it this time."""
        wanted, tags = unveiled(target.it.props), own_tags(target.it.tags)
        name = target.it.node
        if entry is None or entry.id != change.id:
            if entry and entry.id:
                self.hands.ledger.retire(name, f"{name}~{entry.id}")
            adopted = Entry(
                str(target.kind),
                target.it.name,
                target.piece,
                target.region,
                "finishing",
                change.id,
                wanted,
                needs=list(target.needs),
                made=self.hands.clock.wall(),
                tags=tags,
            )
            self.hands.ledger.adopt(name, adopted)
            self.hands.patience.young(name, target.kind)
        elif change.verb == "keep" and (
            entry.wanted != wanted or entry.tags != tags or entry.phase != "ready"
        ):
            kept = replace(entry, wanted=wanted, needs=list(target.needs), tags=tags)
            self.hands.ledger.adopt(name, kept)
        if entry and (entry.phase != "ready" or self.hands.patience.is_new(entry.made)):
            self.hands.patience.young(name, target.kind)

    def _make_room(self, node: Node, old: Target, entry: Entry | None) -> Target:
        """Put the old one aside, or delete it first where only one can be; the target of the new one."""
        ledger = self.hands.ledger
        if entry is None:
            self._take_over(old, Change("keep", node.name, "", "", "", id=old.it.id), None)
        if node.kind.exclusive:
            self.hands.delete(old)
        else:
            ledger.retire(node.name, f"{node.name}~{old.it.id}")
        return self._target(node, old.it.props, None)

    def _target(self, node: Node, wanted: Doc, entry: Entry | None) -> Target:
        away = shunned(self.hands.ledger.document, node)
        target = target_of(node, self.plan.stack.suffix, entry, wanted, away)
        return replace(target, lookup=self._wait_for)

    def _learn(self, target: Target, doc: Doc) -> None:
        with self._known:
            merged = {**self._docs.get(target.it.node, {}), **doc}
            self._docs[target.it.node] = {**merged, "id": target.it.id}
            self._known.notify_all()

    def _wait_for(self, ref: Ref) -> Any:
        """The value of a ref; where AWS fills it in later than the id, wait until it is there."""

        def settled() -> bool:
            return dig(self._docs.get(ref.node, {}), ref.path) is not None or ref.node in self._ended

        with self._known:
            self._known.wait_for(settled, timeout=_PATH_PATIENCE)
            value = dig(self._docs.get(ref.node, {}), ref.path)
        if value is None:
            raise OutOfPatience(f"AWS does not give {ref}.", "Run the same command again: it looks again.")
        return value

    def _remove_undeclared(self) -> None:
        declared = self.plan.stack.nodes
        gone = {name for name, _ in self.hands.ledger if name not in declared} - self.plan.aside
        gone -= {need for name in self.plan.aside for need in self._needs(name)}
        if gone:
            removed = remove(self.hands, self.kinds, only=gone)
            self.outcome.failed |= removed.failed
            self.outcome.undone += removed.undone

    def _needs(self, name: str) -> list[str]:
        entry = self.hands.ledger.get(name)
        return entry.needs if entry else []

    def _keep_outputs(self) -> None:
        ledger, plan = self.hands.ledger, self.plan
        known = ledger.document.outputs if plan.whole else {}
        ledger.conclude(list((plan.whole or plan).stack.nodes), known | outputs_of(plan, self._docs))


def outputs_of(plan: Plan, docs: Mapping[str, Doc]) -> dict[str, str]:
    """The stack's outputs, as far as they are known."""
    known = replace(plan, docs=dict(docs), changes={})

    def value(ref: Ref) -> Any:
        found = dig(known.docs.get(ref.node), ref.path)
        return Unknown(ref) if found is None else found

    resolved = resolve(plan.stack.outputs, value)
    return {name: str(one) for name, one in resolved.items() if not isinstance(one, Unknown)}
