"""Whatever a team does with a shared state, in whatever order: one writes at a time, and nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from provisioner.errors import LedgerError, LockHeld, ProvisionerError
from state.archive import ShelfArchive
from state.document import Document, Entry, Place
from state.lease import LEASE, MARGIN, LeaseLock
from state.ledger import Ledger
from state.shelf_store import ShelfStore
from tests.memory import Memory
from tests.shelves import Ageing, Hands, MemoryShelf

AT = Place("123456789012", "aws", "us-east-1")


@dataclass
class Run:
    """One of the team, with its own way to the shelf."""

    name: str
    shelf: Ageing
    lock: LeaseLock | None = None
    store: ShelfStore | None = None
    ledger: Ledger | None = None
    broken: bool = False

    def take(self) -> bool:
        """Lock, read, claim: what a command does first."""
        archive = ShelfArchive(self.shelf, "s3://team/", "")
        lock, store = archive.lock("prod", self.name, 0, self.shelf.clock), archive.store("prod")
        lock.__enter__()
        self.lock, self.store, self.broken = lock, store, False
        text = store.load()
        document = Document.parse(text, "it") if text else Document("prod", AT)
        document.fence = max(lock.fence, document.fence + 1)
        if not store.claim(document.dump()):
            return False
        self.ledger = Ledger(document, store, self.shelf.clock.wall, lock.check)
        return True

    def end(self, *, well: bool) -> None:
        """Give the lock back, or die with it."""
        if self.lock and well:
            if self.store:
                self.store.disclaim()
            self.lock.__exit__(None, None, None)
        elif self.lock:
            self.lock._heart.stop()
        self.lock = self.store = self.ledger = None

    def may_act(self) -> bool:
        """Whether it would make a call now, without asking the shelf."""
        return bool(self.ledger and self.lock and not self.lock._lost and self.lock._left() >= MARGIN)


PICK = st.integers(0, 5)


class Team(RuleBasedStateMachine):
    """Three runs, a person who frees locks, and an S3 that loses replies or cannot be reached."""

    @initialize()
    def begin(self) -> None:
        self.clock, self.memory = Hands(), MemoryShelf()
        self.born: dict[str, float] = {}
        self.runs = [Run(name, self._shelf()) for name in "abc"]
        self.fence = 0
        self.written = ""

    def _shelf(self) -> Ageing:
        return Ageing(self.memory, self.clock, self.born)

    def _holders(self) -> list[Run]:
        return [run for run in self.runs if run.ledger]

    def _holder(self, pick: int) -> Run:
        holders = self._holders()
        return holders[pick % len(holders)]

    @precondition(lambda self: len(self._holders()) < len(self.runs))
    @rule(pick=PICK)
    def take(self, pick: int) -> None:
        others = [run for run in self.runs if not run.ledger]
        run = others[pick % len(others)]
        able = [one.name for one in self.runs if not one.broken and one.may_act()]
        try:
            took = run.take()
        except ProvisionerError:
            took = False
        if not took:
            run.end(well=True)
            return
        assert able == [], "another run could still act when this one took over"
        assert run.ledger
        assert run.ledger.document.fence > self.fence
        self.fence = run.ledger.document.fence

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, fault=st.sampled_from(["", "", "lost", "cut off"]))
    def write(self, pick: int, fault: str) -> None:
        run = self._holder(pick)
        assert run.ledger
        run.shelf.faults = [fault] if fault else []
        mark = f"{run.ledger.document.fence}/{run.ledger.document.serial + 1}"
        try:
            run.ledger.conclude([], {"mark": mark})
        except (LockHeld, LedgerError):
            assert fault == "cut off" or run.shelf.is_cut_off or run.broken or not run.may_act()
            return
        assert run.ledger.document.fence == self.fence, "a write with an old number landed"
        self.written = mark

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, fault=st.sampled_from(["", "lost", "cut off"]))
    def beat(self, pick: int, fault: str) -> None:
        run = self._holder(pick)
        assert run.lock
        run.shelf.faults = [fault] if fault else []
        run.lock.renew()

    @rule(seconds=st.sampled_from([40, LEASE - MARGIN + 1, LEASE + 3]))
    def wait(self, seconds: float) -> None:
        self.clock.at += seconds

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, well=st.booleans())
    def end(self, pick: int, well: bool) -> None:
        self._holder(pick).end(well=well)

    @precondition(lambda self: self._holders())
    @rule()
    def free_by_hand(self) -> None:
        lock = ShelfArchive(self._shelf(), "", "").lock("prod", "state unlock", 0, self.clock)
        owner, is_held = lock.last()
        if owner and is_held:
            lock.break_open(owner)
            for run in self._holders():
                run.broken = True

    @rule(pick=PICK)
    def cut_off(self, pick: int) -> None:
        for number, run in enumerate(self.runs):
            run.shelf.is_cut_off = number == pick

    @invariant()
    def what_was_written_last_stands(self) -> None:
        there = self.memory.get("prod.json")
        stands = Document.parse(there.text, "it").outputs.get("mark", "") if there else ""
        assert stands == self.written

    @invariant()
    def only_one_may_act(self) -> None:
        able = [run.name for run in self.runs if not run.broken and run.may_act()]
        assert len(able) <= 1, able

    def teardown(self) -> None:
        for run in self.runs:
            run.end(well=False)


TestTeam = Team.TestCase
TestTeam.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


ACTS = st.lists(
    st.tuples(st.sampled_from(["intend", "found", "confirm", "retire", "delete", "drop"]), st.integers(0, 2)),
    max_size=15,
)


class Full(Exception):
    """No room for this write."""


class Brittle(Memory):
    """A store whose nth write fails."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at

    def save(self, text: bytes) -> None:
        if len(self.saved) == self.fails_at:
            raise Full
        super().save(text)


@given(ACTS, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_what_stands_is_what_the_last_act_that_returned_left(acts: list[tuple[str, int]], fails_at: int) -> None:
    store = Brittle(fails_at)
    ledger = Ledger(Document("prod", AT), store, lambda: 1000.0)
    done = 0
    try:
        for act, number in acts:
            before = ledger.document.serial
            if carry_out(ledger, act, f"node-{number}"):
                assert store.latest == ledger.document
                assert ledger.document.serial == before + 1
                done += 1
    except Full:
        assert done == fails_at
    if done:
        assert store.latest.serial == done
        ids = [(one.node, one.id) for one in store.latest.tombstones]
        assert all(id_ for _, id_ in ids), "a tombstone without an id tells nothing"


def carry_out(ledger: Ledger, act: str, node: str) -> bool:
    """One act, where it makes sense."""
    entry = ledger.get(node)
    if act == "intend":
        ledger.intend(node, "create", Entry("Vpc", node, id=entry.id if entry else ""))
    elif entry is None:
        return False
    elif act == "found":
        ledger.found(node, f"id-{ledger.document.serial}")
    elif act == "confirm":
        ledger.confirm(node)
    elif act == "retire":
        ledger.retire(node, f"{node}~{ledger.document.serial}")
    else:
        ledger.forget(node, deleted=act == "delete")
    return True
