"""Whatever a team does with a shared state, in whatever order: one writes at a time, and nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from provisioner.names import WRITER
from state.backend import S3Backend
from state.errors import LockHeld, ProvisionerError, StateError
from state.lease import LEASE_SECONDS, SAFETY_MARGIN_SECONDS, LeaseLock
from state.manager import StateManager
from state.object_store import ObjectStateStore
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.memory_object_store import Ageing, Hands, MemoryShelf
from tests.support.memory_state_store import MemoryStateStore

AT = StackLocation("123456789012", "aws", "us-east-1")


@dataclass
class Run:
    """One of the team, with its own way to the shelf."""

    name: str
    shelf: Ageing
    lock: LeaseLock | None = None
    store: ObjectStateStore | None = None
    ledger: StateManager | None = None
    broken: bool = False

    def take(self) -> bool:
        """Lock, read, claim: what a command does first."""
        backend = S3Backend(self.shelf, "s3://team/", "")
        lock, store = backend.lock("prod", self.name, 0, self.shelf.clock), backend.store("prod")
        lock.__enter__()
        self.lock, self.store, self.broken = lock, store, False
        text = store.load()
        state = StackState.parse(text, "it") if text else StackState("prod", AT)
        state.fencing_token = max(lock.fencing_token, state.fencing_token + 1)
        if not store.claim(state.dump(WRITER)):
            return False
        self.ledger = StateManager(state, store, WRITER, self.shelf.clock.wall, lock.ensure_held)
        return True

    def end(self, *, well: bool) -> None:
        """Give the lock back, or die with it."""
        if self.lock and well:
            if self.store:
                self.store.release_claim()
            self.lock.__exit__(None, None, None)
        elif self.lock:
            self.lock._heartbeat.stop()
        self.lock = self.store = self.ledger = None

    def may_act(self) -> bool:
        """Whether it would make a call now, without asking the shelf."""
        return bool(
            self.ledger and self.lock and not self.lock._is_lost and self.lock._seconds_left() >= SAFETY_MARGIN_SECONDS
        )


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
        assert run.ledger.state.fencing_token > self.fence
        self.fence = run.ledger.state.fencing_token

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, fault=st.sampled_from(["", "", "lost", "cut off"]))
    def write(self, pick: int, fault: str) -> None:
        run = self._holder(pick)
        assert run.ledger
        run.shelf.faults = [fault] if fault else []
        mark = f"{run.ledger.state.fencing_token}/{run.ledger.state.serial + 1}"
        try:
            run.ledger.record_outputs([], {"mark": mark})
        except (LockHeld, StateError):
            assert fault == "cut off" or run.shelf.is_cut_off or run.broken or not run.may_act()
            return
        assert run.ledger.state.fencing_token == self.fence, "a write with an old number landed"
        self.written = mark

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, fault=st.sampled_from(["", "lost", "cut off"]))
    def beat(self, pick: int, fault: str) -> None:
        run = self._holder(pick)
        assert run.lock
        run.shelf.faults = [fault] if fault else []
        run.lock.renew()

    @rule(seconds=st.sampled_from([40, LEASE_SECONDS - SAFETY_MARGIN_SECONDS + 1, LEASE_SECONDS + 3]))
    def wait(self, seconds: float) -> None:
        self.clock.at += seconds

    @precondition(lambda self: self._holders())
    @rule(pick=PICK, well=st.booleans())
    def end(self, pick: int, well: bool) -> None:
        self._holder(pick).end(well=well)

    @precondition(lambda self: self._holders())
    @rule()
    def free_by_hand(self) -> None:
        lock = S3Backend(self._shelf(), "", "").lock("prod", "state unlock", 0, self.clock)
        holder, is_held = lock.last_holder()
        if holder and is_held:
            lock.force_unlock(holder)
            for run in self._holders():
                run.broken = True

    @rule(pick=PICK)
    def cut_off(self, pick: int) -> None:
        for number, run in enumerate(self.runs):
            run.shelf.is_cut_off = number == pick

    @invariant()
    def what_was_written_last_stands(self) -> None:
        stored = self.memory.get("prod.json")
        stands = StackState.parse(stored.body, "it").outputs.get("mark", "") if stored else ""
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


class Brittle(MemoryStateStore):
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
    state_manager = StateManager(StackState("prod", AT), store, WRITER, lambda: 1000.0)
    done = 0
    try:
        for act, number in acts:
            before = state_manager.state.serial
            if carry_out(state_manager, act, f"node-{number}"):
                assert store.latest == state_manager.state
                assert state_manager.state.serial == before + 1
                done += 1
    except Full:
        assert done == fails_at
    if done:
        assert store.latest.serial == done
        ids = [(one.logical_id, one.id) for one in store.latest.tombstones]
        assert all(id_ for _, id_ in ids), "a tombstone without an id tells nothing"


def carry_out(state_manager: StateManager, act: str, node: str) -> bool:
    """One act, where it makes sense."""
    resource_state = state_manager.get(node)
    if act == "intend":
        state_manager.record_intent(
            node, "create", ResourceState("Vpc", node, id=resource_state.id if resource_state else "")
        )
    elif resource_state is None:
        return False
    elif act == "found":
        state_manager.record_id(node, f"id-{state_manager.state.serial}")
    elif act == "confirm":
        state_manager.record_ready(node)
    elif act == "retire":
        state_manager.depose(node, f"{node}~{state_manager.state.serial}")
    else:
        state_manager.remove(node, deleted=act == "delete")
    return True
