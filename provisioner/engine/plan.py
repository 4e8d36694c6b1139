"""The plan: every declared node looked at and decided, nothing acted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Any

from provisioner.engine.claims import Before, in_the_way, own_entry
from provisioner.engine.clients import Clients
from provisioner.engine.decide import Change, comes_back, decide, delete, with_extras
from provisioner.engine.explain import explained
from provisioner.engine.extras import Part
from provisioner.engine.given import demand, given_in_vain
from provisioner.engine.graph import Node, Stack
from provisioner.engine.intervals import timed
from provisioner.engine.kind import Item, Kind
from provisioner.engine.lacking import told_as_lacking
from provisioner.engine.others import has_others, remember_others
from provisioner.engine.refs import Doc, Ref, Unknown, dig, is_known, refs_in, resolve, seal
from provisioner.engine.target import Target, extras_in, is_lacking, look, observed, still_hides
from provisioner.engine.walk import Tell, Walk
from state.document import Document, Entry

Kinds = Mapping[str, Kind]
# Reads at once: the server's answer is what takes time, and AWS counts calls a second.
READERS = 8


@dataclass
class Plan:
    """What is to be done about every node, and what AWS said of each."""

    stack: Stack
    changes: dict[str, Change] = field(default_factory=dict)
    docs: dict[str, Doc] = field(default_factory=dict)
    # What AWS said of those that are brought back, whose values stay.
    returning: dict[str, Doc] = field(default_factory=dict)
    # What is no longer declared and goes first: by the node that takes its place, and in which order.
    takes: Before = field(default_factory=dict)
    early: Before = field(default_factory=dict)
    # What it must be read with: sentences for whoever reads it.
    notes: list[str] = field(default_factory=list)
    # The nodes of which an emulator has nothing like.
    lacking: list[str] = field(default_factory=list)
    # Where only a part of it was chosen: all of it.
    whole: Plan | None = None

    @property
    def aside(self) -> set[str]:
        """What was not chosen, and so is left as it is."""
        return self.whole.changes.keys() - self.changes.keys() if self.whole else set()

    @property
    def acting(self) -> list[Change]:
        """The changes that would change AWS, or wait for it."""
        return [change for change in self.changes.values() if change.verb != "keep"]

    @property
    def kept(self) -> set[str]:
        """What is there, known and as it is declared."""
        return {name for name, one in self.changes.items() if one.verb == "keep" and not one.adopts}

    @property
    def adopted(self) -> list[Change]:
        """What is found in AWS, is ours, and is not in the ledger."""
        return [change for change in self.changes.values() if change.adopts]

    @property
    def found(self) -> set[str]:
        """The declared nodes that are there and ours, the account's own roles left out."""
        return {
            name
            for name in self.docs
            if not self.changes[name].foreign and not self.stack.nodes[name].kind.shared
        }

    @property
    def refused(self) -> list[Change]:
        """The changes that stand in the way of all others."""
        return [change for change in self.changes.values() if change.verb == "refuse"]

    def count(self, *verbs: str) -> int:
        """How many changes have one of these verbs, the account's own roles left out."""
        return sum(change.verb in verbs for change in self.changes.values())


def make_plan(
    stack: Stack, document: Document, clients: Clients, kinds: Kinds, *, inside: bool = True
) -> Plan:
    """Look at everything at once and decide each node; makes no mutating call.

    With `inside` as False nothing is asked about what lies in the resources and nobody declared.
    """
    plan = Plan(stack)
    shared = clients.sharing()
    unknown = [node for node in stack if node.name not in document.entries and has_others(node)]

    def begin(name: str) -> Any:
        def work(tell: Tell[str]) -> None:
            _plan_one(plan, stack.nodes[name], document, shared)
            tell(name)

        return work

    Walk({node.name: set(node.needs) for node in stack}, begin, workers=READERS).run()
    plan.changes = {node.name: plan.changes[node.name] for node in stack}
    plan.notes += told_as_lacking(plan.lacking)
    plan.docs = {node.name: plan.docs[node.name] for node in stack if node.name in plan.docs}
    remember_others(document, shared, [(node, _unlisted(plan, node)) for node in unknown])
    if inside:
        _look_inside(plan, document, shared, kinds)
    going = {
        name: entry
        for name, entry in document.entries.items()
        if name not in stack.nodes and not kinds[entry.kind].shared and not kinds[entry.kind].stays
    }
    _let_go_first(plan, going, kinds)
    plan.changes |= {
        name: delete(name, entry, kinds[entry.kind])
        for name, entry in going.items()
        if name not in plan.early
    }
    return plan


def _unlisted(plan: Plan, node: Node) -> Item:
    """A node as the ledger does not know it: by the id that AWS told."""
    wanted = resolve(node.props, lambda ref: look_up(plan, ref))
    return target_of(node, plan.stack.suffix, None, wanted).with_id(plan.changes[node.name].id).it


def _let_go_first(plan: Plan, going: Mapping[str, Entry], kinds: Kinds) -> None:
    """Of what is no longer declared, that which holds what a new node claims goes before that node."""
    new = [node for node in plan.stack if plan.changes[node.name].verb in ("create", "replace")]
    plan.takes, plan.early = in_the_way(
        new, lambda node: resolve(node.props, lambda ref: look_up(plan, ref)), going
    )
    takers = {name: node for node, names in plan.takes.items() for name in names}
    ordered = {}
    for name in TopologicalSorter(plan.early).static_order():
        why = (
            f"no longer declared; {takers[name]} takes its place" if name in takers else "no longer declared"
        )
        ordered[name] = delete(name, going[name], kinds[going[name].kind], why)
    plan.changes = ordered | plan.changes


def _look_inside(plan: Plan, document: Document, clients: Clients, kinds: Kinds) -> None:
    """Find what lies in those that own what is in them, and nobody declared."""
    owning = [name for name in plan.docs if plan.stack.nodes[name].kind.owns_inside]
    parts = known_parts(plan, document, clients, kinds)

    def begin(name: str) -> Any:
        def work(tell: Tell[str]) -> None:
            node, change, doc = plan.stack.nodes[name], plan.changes[name], plan.docs[name]
            wanted = resolve(node.props, lambda ref: look_up(plan, ref))
            target = target_of(node, plan.stack.suffix, document.entries.get(name), wanted)
            found = extras_in(clients, target.with_id(change.id), doc, parts)
            plan.changes[name] = with_extras(change, tuple(one for one in found if not one.stays))
            tell(name)

        return work

    Walk({name: set() for name in owning if not plan.changes[name].foreign}, begin, workers=READERS).run()


def known_parts(plan: Plan, document: Document, clients: Clients, kinds: Kinds) -> list[Part]:
    """All that is declared, seen, remembered, or deleted so lately that AWS may still show it.

    What the ledger holds is ours by its id, declared still or not.
    """
    parts = []
    for node in plan.stack:
        parts.append(Part(str(node.kind), resolve(node.props, lambda ref: look_up(plan, ref))))
        parts.append(Part(str(node.kind), plan.docs.get(node.name, {})))
    for entry in document.entries.values():
        own = {**entry.wanted, **_known_id(kinds[entry.kind], entry)}
        parts += [Part(entry.kind, own), Part(entry.kind, entry.confirmed or {})]
    late = (stone for stone in document.tombstones if still_hides(clients, stone.at))
    return parts + [Part(stone.kind, stone.wanted) for stone in late]


def _known_id(kind: Kind, entry: Entry) -> Doc:
    """The id of an entry, where its kind's reads have it."""
    paths = (kind.key,) if isinstance(kind.key, str) else kind.key
    values = [entry.id] if len(paths) == 1 else entry.id.split("|")
    told = zip(paths, values, strict=False)
    return {path: value for path, value in told if value and "." not in path}


def wanted_of(plan: Plan, node: Node, clients: Clients) -> Doc:
    """What a node is to be, as far as it is known, each secret as it is compared."""

    def lookup(ref: Ref) -> Any:
        return look_up(plan, ref)

    with explained(f"reading what {node.aws_name or node.name} is to hold"):
        return dict(seal(resolve(node.props, lookup), clients, lookup))


def _plan_one(plan: Plan, node: Node, document: Document, clients: Clients) -> None:
    wanted = wanted_of(plan, node, clients)
    entry = own_entry(document, node, wanted)
    target = target_of(
        node, plan.stack.suffix, entry, wanted, document.held_beside(node.name, str(node.kind), node.region)
    )
    doc = None
    if is_known({key: wanted.get(key) for key in node.kind.within}):
        with explained(f"looking at {node.aws_name or node.name}"):
            doc = look(clients, target, entry)
            if doc is not None and node.kind.decided_by_observation:
                doc = observed(clients, target, doc, entry.made if entry else 0.0)
            if is_lacking(clients, target):
                plan.lacking.append(node.name)
    change = decide(node, entry, doc, wanted)
    if change.verb == "create":
        change = _creation(plan, node, doc, change)
    if doc is not None:
        wall, pace = clients.clock.wall(), clients.aws.pace
        change = timed(change, node.kind, entry, (doc, wanted), wall, pace)
    foreign = [plan.changes[name] for name in _hosts(node) if plan.changes[name].foreign]
    if doc is not None and foreign:
        why, remedy = "part of what is somebody else's", foreign[0].remedy
        change = replace(change, verb="refuse", why=why, foreign=True, adopts=False, remedy=remedy)
    plan.changes[node.name] = change
    if doc is not None and change.verb != "create":
        plan.docs[node.name] = {**doc, "id": node.kind.id_of(doc)}


def _creation(plan: Plan, node: Node, doc: Doc | None, change: Change) -> Change:
    """A create, as far as a person has to give something for it; what is brought back is remembered."""
    if doc is not None and comes_back(node, doc):
        plan.returning[node.name] = {**doc, "id": node.kind.id_of(doc)}
        return given_in_vain(node, change)
    if change.why and (anew := _made_anew(plan, node)):
        change = replace(change, why=f"it goes with {anew}, which is made anew")
    return demand(node, change)


def _made_anew(plan: Plan, node: Node) -> str:
    """The node that it lies in and that is made anew."""
    return next((name for name in _hosts(node) if plan.changes[name].verb in ("create", "replace")), "")


def _hosts(node: Node) -> list[str]:
    """The nodes that it lies in."""
    return [ref.node for key in node.kind.within for ref in refs_in(node.props.get(key))]


def look_up(plan: Plan, ref: Ref) -> Any:
    """The value of a ref as far as it is known: of what is yet to be made, an id that is its own name."""
    doc, node = plan.docs.get(ref.node) or plan.returning.get(ref.node), plan.stack.nodes[ref.node]
    if doc is None and ref.path == "id" and node.kind.key == node.kind.named:
        return resolve(node.props[node.kind.named], lambda inner: look_up(plan, inner))
    if doc is None or plan.changes[ref.node].verb == "replace":
        return Unknown(ref)
    value = dig(doc, ref.path)
    return Unknown(ref) if value is None else value


def target_of(
    node: Node, suffix: str, entry: Entry | None, wanted: Doc, away: frozenset[str] = frozenset()
) -> Target:
    """The resource that a declared node stands for."""
    it = Item(
        node=node.name,
        name=node.aws_name,
        suffix=suffix,
        props=wanted,
        tags=node.tags,
        id=entry.id if entry else "",
        shunned=away,
    )
    return Target(node.kind, it, node.region, tuple(node.needs), node.piece, waits=node.patience)
