"""The executor: create, update, delete or wait for one resource, with the state written around each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from provisioner.answers import UnknownCall
from provisioner.engine.clients import Clients
from provisioner.engine.compare import errand_of
from provisioner.engine.decide import Change, is_anothers, proves_nothing, whose
from provisioner.engine.durations import Durations
from provisioner.engine.events import Listener
from provisioner.engine.extras import Extra
from provisioner.engine.faults import Fault, code_of, fault_of, told
from provisioner.engine.gone import is_gone, refuses_for_good
from provisioner.engine.intervals import Cooldown, last_change
from provisioner.engine.kind import Item, Kind
from provisioner.engine.lacking import Lacking
from provisioner.engine.marker import Marker
from provisioner.engine.overlay import over_what_stands
from provisioner.engine.patience import Patience
from provisioner.engine.private import written
from provisioner.engine.refs import Doc, reveal
from provisioner.engine.refused import Foreign, NotYet, held_up, is_named, names_holders
from provisioner.engine.search import Search
from provisioner.engine.target import HIDES, Target, read, still_hides
from provisioner.engine.watch import Watch
from provisioner.names import own_tags
from state.manager import StateManager
from state.stack_state import ResourceState


class Hands:
    """The executor of resource types' actions, one resource at a time; shared by all threads of a run."""

    def __init__(
        self,
        clients: Clients,
        state_manager: StateManager,
        listen: Listener,
        durations: Durations | None = None,
        marker: Marker | None = None,
    ) -> None:
        self.clients = clients
        self.marker = marker
        self.ledger = state_manager
        self.listen = listen
        self.clock = clients.clock
        self.pace = clients.aws.pace
        self.search = Search(clients)
        self.durations = durations or Durations(self.pace)
        self.lacking = Lacking(clients, listen)
        self.patience = Patience(clients, listen, self.durations)
        self.watch = Watch(clients, listen, self.durations)
        # Resources whose create AWS refused as they exist already, perhaps made by somebody else.
        self.met: set[str] = set()

    def read(self, target: Target) -> Doc | None:
        """Return the actual state of a resource; None where it does not exist."""
        return read(self.clients, target)

    def create(self, target: Target) -> Doc:
        """Create a resource unless an earlier attempt did; write its id to the state, return AWS's answer."""
        marker = self.marker if self.marker and self.marker.node == target.it.node else None
        target = marker.born(target) if marker else target
        resource_state = self._entry(target)
        known_state = self.ledger.get(target.it.node)
        reopened = bool(known_state and known_state.intent and known_state.intent.action == "create")
        cooldown = self._cooldown(target)
        intent = self.ledger.record_intent(target.it.node, "create", resource_state)
        tried = self.search.last_tried(target, intent.started_at)
        doc = self._found(target, tried, target.kind.visible_within) if reopened else None
        changed = tried
        if doc is None:
            tokened = replace(target, it=replace(target.it, token=intent.token))
            doc = cooldown.call(lambda: self._make(tokened))
            changed = self.clock.wall()
        self.patience.newborns.add(target.with_id(target.kind.id_of(doc)))
        self.ledger.record_id(target.it.node, target.kind.id_of(doc), changed if target.kind.interval else 0.0)
        if marker:
            marker.begin()
        return doc

    def _found(self, target: Target, since: float, hidden: float) -> Doc | None:
        """Return what an earlier attempt created; raise LockHeld where it is the marker of another run."""
        doc = self.search.find(target, since, hidden)
        if doc is not None and self.marker and self.marker.node == target.it.node:
            self.marker.met(doc)
        return doc

    def _cooldown(self, target: Target) -> Cooldown:
        return Cooldown(self.ledger, self.clock, self.pace, target, self.listen)

    def _make(self, target: Target) -> Doc:
        it = target.it
        client = self.patience.client(target)

        @cache
        def shown() -> Item:
            # Once for all attempts, and only to create: a restored resource holds its secrets already.
            return replace(it, props=reveal(it.props, self.clients, target.lookup))

        # Where AWS says that the resource exists, or the reply was lost, it is looked for.
        def once() -> Doc:
            try:
                return target.kind.bring_back(client, it) or target.kind.create(client, shown())
            except Exception as error:
                if self.lacking.passes(target, "create", error):
                    return dict(it.props)
                proven = is_named(error, target.kind.duplicate)
                if not proven and fault_of(error) is not Fault.LOST:
                    raise
                hidden = HIDES if proven else target.kind.visible_within
                doc = self._found(target, self.clock.wall(), hidden)
                if doc is None:
                    raise
                self.met |= {it.node} if proven else set()
                return doc

        made: Doc = self.patience.call(once, target, "create")
        return made

    def update(self, target: Target, change: Change) -> Target:
        """Update the fields that differ and remove unmanaged children; safe to repeat after a crash.

        Return the target with AWS's reply, for the wait until it is ready.
        """
        cooldown = self._cooldown(target)
        cooldown.wait()
        return target.made(target.it.id, cooldown.call(lambda: self._update(target, change)))

    def _update(self, target: Target, change: Change) -> Doc:
        kind, it = target.kind, target.it
        self.ledger.record_intent(it.node, "update", self._entry(target, "updating"))
        client = self.patience.client(target)
        known_state = self.ledger.get(it.node)
        before = (known_state.recorded if known_state else None) or {}
        errand = errand_of(kind, it.props, change.differences)

        def once() -> Doc:
            reply: Doc | None = None
            if errand.own or not (change.differences or change.extras):
                shown = replace(it, props=reveal(it.props, self.clients, target.lookup))
                changed = reveal(errand.changed, self.clients, target.lookup)
                reply = kind.update(client, *over_what_stands(client, kind, shown, changed, before))
            if errand.tags:
                kind.retag(client, it, errand.put, errand.drop)
            for extra in change.extras:
                _remove(kind, client, it, extra)
            return reply or {}

        def passing() -> Doc:
            try:
                return once()
            except Exception as error:
                if self.lacking.passes(target, "update", error):
                    return {}
                raise

        told: Doc = self.patience.call(passing, target, "update")
        return told

    def finish(self, target: Target, *, updated: bool = False, seen: Callable[[Doc], None]) -> Doc:
        """Wait until a resource is ready and record that; call `seen` with each actual state read meanwhile.

        `updated` says that it was just updated: AWS may still tell its old state.
        """
        waits = (bool(target.kind.ready) or updated) and target.it.node not in self.lacking.nodes
        doc = self.watch.until_ready(target, updated=updated, seen=seen) if waits else {}
        self.confirm(target.it.node, target.kind)
        return doc

    def confirm(self, node: str, kind: Kind) -> None:
        """Record that AWS holds the desired properties; a cooldown starts at the time of the open intent."""
        self.ledger.record_ready(node, changed=last_change(kind, self.ledger.get(node)))

    def delete(self, target: Target, begun: Callable[[], None] = lambda: None) -> str:
        """Delete a resource, wait until AWS says that it is gone, and leave a tombstone in the state.

        `begun` is called when AWS has accepted the first call: resources that wait only for that can then go
        too. A resource that must outlive the stack is kept, and the state forgets it. Return for whose sake
        it is kept, in words; "" where it is deleted.

        Raises:
            Foreign: Its name now belongs to somebody else's resource. Ours is gone, and the state forgets it.

        """
        kind, node = target.kind, target.it.node
        resource_state = self.ledger.get(node)
        if kind.vanishes:
            self.ledger.remove(node, deleted=True)
            return ""
        if resource_state and not resource_state.id:
            doc = self._begun(target, resource_state)
            if doc is None:
                self.ledger.remove(node, deleted=False)
                return ""
            target = target.with_id(kind.id_of(doc))
            self.ledger.record_id(node, target.it.id)
        self._check_owner(target)
        if why := kind.keeps(self.patience.client(target), target.it):
            self.ledger.remove(node, deleted=False)
            return why
        if resource_state:
            self.ledger.record_intent(node, "delete", replace(resource_state, id=target.it.id, phase="deleting"))
        start = self.clock.now()
        self._insist_on_end(target, begun, start)
        begun()
        self.watch.until_gone(target, start)
        self.ledger.remove(node, deleted=True)
        return ""

    def _check_owner(self, target: Target) -> None:
        """Raise Foreign where the name of a resource, or of its parent, now belongs to somebody else's.

        A name proves nothing: ours may be gone, and another one may have been created with the same name.
        """
        for one in (target, *target.hosts):
            doc = self.read(one) if proves_nothing(one.kind) else None
            if doc is not None and is_anothers(one.kind, one.it.tags, doc):
                self.ledger.remove(target.it.node, deleted=False)
                raise Foreign(f"{one.words} is {whose(one.kind, doc)}.", "It stays as it is.")

    def _begun(self, target: Target, resource_state: ResourceState) -> Doc | None:
        """Find the resource whose create call was never answered; None where none of ours exists.

        No create call follows that would find it: a resource overlooked here would be left for ever.
        """
        try:
            intended = resource_state.intent.started_at if resource_state.intent else self.clock.wall()
            return self.search.find(target, self.search.last_tried(target, intended), HIDES)
        except Foreign:  # somebody else's resource stays, and does not stop ours from going
            return None

    def _insist_on_end(self, target: Target, begun: Callable[[], None], start: float) -> None:
        """Call delete until AWS accepts it or the resource is gone; raise an error that names blockers."""
        try:
            self.patience.call(lambda: self._end(target, begun, start), target, "delete")
        except Exception as error:
            if is_gone(self.clients, target, error):
                return
            if names_holders(error, target.kind.unheld) and (holders := self.patience.holders(target)):
                curable = not refuses_for_good(target, error)
                raise held_up(target.words, holders, told(error), curable=curable) from error
            raise

    def _end(self, target: Target, begun: Callable[[], None], start: float) -> None:
        # One attempt; a refusal counts as success where the resource proves to be gone.
        try:
            target.kind.delete(self.patience.client(target), target.it)
        except NotYet:
            begun()
            raise
        except UnknownCall as error:
            if not self.lacking.passes(target, "delete", error):
                raise
        except ClientError as error:
            if self.lacking.passes(target, "delete", error):
                return
            known = code_of(error) in target.kind.absent or refuses_for_good(target, error)
            if not known or not is_gone(self.clients, target, error):
                raise
            resource_state = self.ledger.get(target.it.node)
            # The time since this delete began counts too: a creation time by a fast clock would never be old.
            late = self.clock.now() - start >= self.clients.aws.hides(HIDES)
            if resource_state and not late and still_hides(self.clients, resource_state.created_at):
                raise NotYet("it is so new that AWS may not show it yet") from error

    def _entry(self, target: Target, phase: str = "creating") -> ResourceState:
        it = target.it
        known_state = self.ledger.get(it.node)
        return ResourceState(
            type_name=str(target.kind),
            aws_name=it.name,
            step=target.piece,
            region=target.region,
            phase="updating" if phase == "updating" else "creating",
            id=it.id,
            desired=written(it.props, self.ledger.salt),
            recorded=known_state.recorded if known_state and known_state.id == it.id else None,
            depends_on=list(target.needs),
            created_at=known_state.created_at if known_state and known_state.id == it.id else 0.0,
            changed_at=known_state.changed_at if known_state and known_state.id == it.id else 0.0,
            tags=own_tags(it.tags),
        )


def _remove(kind: Kind, client: Any, it: Item, extra: Extra) -> None:
    try:
        kind.remove(client, it, extra)
    except ClientError as error:
        if code_of(error) not in extra.gone:
            raise
