"""The end of a stack: what there is to remove, its removal, and the look whether anything is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioner.alone import marked
from provisioner.engine.act import Hands
from provisioner.engine.apply import Apply
from provisioner.engine.explain import explained
from provisioner.engine.graph import Stack
from provisioner.engine.marker import Marker
from provisioner.engine.outcome import Outcome
from provisioner.engine.plan import Plan, make_plan
from provisioner.engine.protection import Untold, lift, protected, untold
from provisioner.engine.teardown import remove
from provisioner.engine.verify import Remnant, Report, last_look
from provisioner.kinds import KINDS, leftovers
from provisioner.kinds.tagging import bearing
from provisioner.session import Session
from provisioner.settings.database import MOST_READERS
from provisioner.settings.ending import with_zones
from provisioner.settings.network import MOST_ZONES
from provisioner.stack import build_all
from provisioner.steps.facts import offline
from state.document import Document

# AWS's own services write while they end, and bring back what was swept: so often it is swept again.
_ROUNDS = 3


def standing(session: Session, made: Plan) -> list[str]:
    """What is there or remembered and would go, in declared order; never the account's own roles."""
    entries = session.document.entries
    names = made.found | {name for name, entry in entries.items() if not KINDS[entry.kind].shared}
    return [name for name in dict.fromkeys([*made.stack.nodes, *entries]) if name in names]


@dataclass(frozen=True)
class Protections:
    """All that AWS would refuse to delete until a protection of it is lifted."""

    # By name: those of which a property says it.
    told: tuple[str, ...] = ()
    untold: tuple[Untold, ...] = ()
    # Log groups that a service made, and that nobody declared.
    groups: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """Each that is protected."""
        asked = [f"{one.node} ({'; '.join(one.protections)})" for one in self.untold if one.protections]
        return [*self.told, *asked, *(f"the log group {name}" for name in self.groups)]


def protections(session: Session, plan: Plan) -> Protections:
    """Return all that is protected, asked before the first deletion."""
    theirs = {name for name, one in plan.changes.items() if one.foreign}
    with explained("asking which log groups are protected"):
        groups = leftovers.protected(session.clients, plan.stack, theirs)
    return Protections(
        tuple(protected(plan, session.document, KINDS)),
        tuple(untold(plan, session.document, session.clients, KINDS)),
        tuple(groups),
    )


def take_down(session: Session, plan: Plan, found: Protections) -> Outcome:
    """Take down what the state knows, and what bears our tags and the state has lost.

    The protections `found` are lifted first: nothing is deleted while one of them stays. Meanwhile this run's
    mark is on the stack's marker, which goes last.

    Raises: LockHeld where another machine's run is at work, or has begun before the end.
    """
    marker = session.marker(plan)
    if marker is None:
        return _take_down(session, plan, found)
    if not stands(plan, marker.node):
        marker.ask()  # it went as the last of an end that was cut off, or another run has just begun
        return _take_down(session, plan, found, marker)
    with marked(session, marker, plan.docs[marker.node]):
        marker_last(session.document, marker.node)
        return _take_down(session, plan, found, marker)


def left_by_aws(plan: Plan) -> list[Remnant]:
    """Return what AWS made beside what goes, and leaves: asked before the end, as nothing tells it after."""
    mine = {name: doc for name, doc in plan.docs.items() if stands(plan, name)}
    told = ((name, plan.stack.nodes[name].kind, doc) for name, doc in mine.items())
    found = [(name, kind, kind.leaves(doc)) for name, kind, doc in told]
    return [Remnant(str(kind), name, why) for name, kind, why in found if why]


def stands(plan: Plan, name: str) -> bool:
    """Whether that of the stack is there, and nobody else's."""
    return name in plan.docs and not plan.changes[name].foreign


def marker_last(document: Document, marker: str) -> None:
    """Let all that the marker does not need itself go before it, also what an older version has made."""
    entries = document.entries
    needed, waiting = set(), [marker]
    while waiting:
        name = waiting.pop()
        if name in entries and name not in needed:
            needed.add(name)
            waiting += entries[name].needs
    for name, entry in entries.items():
        if needed and name not in needed and marker not in entry.needs:
            entry.needs.append(marker)


def _take_down(session: Session, plan: Plan, found: Protections, marker: Marker | None = None) -> Outcome:
    hands = session.hands()
    Apply(plan, hands, KINDS).take_over_found()
    lifted = lift(hands, KINDS, found.told, [one.node for one in found.untold if one.protections])
    if not lifted.is_whole:
        return lifted
    theirs = _let_go(hands, plan)
    hands.ledger.begin_teardown()
    outcome = remove(hands, KINDS)
    outcome.theirs |= theirs
    _rest(session, marker)
    if outcome.is_whole:
        _sweep(session, plan.stack, outcome, found, marker)
    for _ in range(_ROUNDS):
        returned = make_plan(plan.stack, session.document, session.clients, KINDS)
        if not outcome.is_whole or not _came_back(returned, outcome):
            break
        refuse_anew(marker, returned)
        Apply(returned, hands, KINDS).take_over_found()
        outcome = outcome.followed_by(remove(hands, KINDS))
        _rest(session, marker)
    if outcome.is_whole:
        _sweep(session, plan.stack, outcome, found, marker)
    return outcome


def refuse_anew(marker: Marker | None, search: Plan) -> None:
    """LockHeld where the marker, which went, stands again in what was searched for: no leftover of this run.

    One that bears this run's own mark is only what AWS has not forgotten yet.
    """
    if marker and stands(search, marker.node) and not marker.is_own(doc := search.docs[marker.node]):
        raise marker.anew(doc)


def _rest(session: Session, marker: Marker | None) -> None:
    """Give the mark up where the marker went: it was the last of the stack."""
    if marker and marker.node not in session.document.entries:
        marker.rest()


def _let_go(hands: Hands, plan: Plan) -> dict[str, str]:
    """Forget what the ledger knows by a name that somebody else's thing bears now, and what lies in it.

    All that is somebody else's under a name of ours is told, whether the ledger knows of it still or not.
    """
    ids = {name: entry.id for name, entry in hands.ledger}
    foreign = {name: one for name, one in plan.changes.items() if one.foreign and not KINDS[one.kind].borrows}
    for name, change in foreign.items():
        if change.id == ids.get(name):
            hands.ledger.forget(name, deleted=False)
    return {name: f"{one.kind} {one.name or name}: {one.why}" for name, one in foreign.items()}


def _came_back(returned: Plan, outcome: Outcome) -> bool:
    """Whether anything is there but what was kept, and what is set on it."""
    nodes = returned.stack.nodes
    return any(not outcome.kept.keys() & {name, *nodes[name].needs} for name in returned.found)


def _sweep(
    session: Session, stack: Stack, outcome: Outcome, lifted: Protections, marker: Marker | None
) -> None:
    """Delete what AWS itself has made for the stack and left, or brought back; LockHeld where it is anew."""
    if marker and (doc := marker.look()) and marker.other(doc):
        raise marker.anew(doc)
    with outcome.noting("what AWS has left", "sweeping it up"):
        leftovers.unprotect(session.clients, lifted.groups)
        found = leftovers.strays(session.clients, stack, outcome.theirs.keys())
        leftovers.sweep(session.clients, found)
        outcome.swept += [one.id for one in found]


def look_last(session: Session, stack: Stack, check: Callable[[Plan], None]) -> Report:
    """Ask for every id that was ever held, and search by name and by tag as if there were no ledger.

    `check` raises where what the search found is another run's.
    """
    blank = Document(session.suffix, session.place)
    search = make_plan(stack, blank, session.clients, KINDS, inside=False)
    check(search)
    theirs = {name for name, one in search.changes.items() if one.foreign}
    with explained("searching for what is left"):
        tagged = bearing(session.clients, session.suffix)
        kept = leftovers.kept(session.clients, stack)
        lingering = leftovers.lingering(session.clients, stack)
        strays = leftovers.strays(session.clients, stack, theirs)
    stones = session.document.tombstones
    report = last_look(session.clients, KINDS, stones, search, tagged, session.suffix)
    report.set_aside(kept, lingering, strays)
    return report


def bare_stack(session: Session) -> Stack:
    """The stack as far as its names and tags go, for a search that knows nothing else."""
    version = session.settings.database.version_beside(session.document.facts.get("version", ""))
    known = offline(MOST_ZONES, version)
    facts = replace(known, account=session.place.account, master_password="own", readers=MOST_READERS)  # noqa: S106 - who holds it
    return build_all(with_zones(session.settings, MOST_ZONES), session.suffix, session.place.region, facts)
