from __future__ import annotations

import gc
import itertools
import threading

import pytest

from provisioner.names import WRITER
from state.errors import StateError
from state.manager import StateManager
from state.stack_state import ResourceState, StackLocation, StackState
from tests.support.memory_state_store import MemoryStateStore

PLACE = StackLocation("123456789012", "aws", "us-east-1")


@pytest.fixture
def store() -> MemoryStateStore:
    return MemoryStateStore()


def test_acts_that_come_while_a_write_is_under_way_share_the_next_one(store: MemoryStateStore) -> None:
    """Fifty threads do not wait for fifty writes."""
    acting = threading.Semaphore(0)

    def wall() -> float:
        acting.release()
        return 1000.0

    state_manager = StateManager(StackState("prod", PLACE), store, WRITER, wall)
    store.held.clear()
    threads = [
        threading.Thread(target=state_manager.record_intent, args=(f"n{n}", "create", ResourceState("Thing", "x")))
        for n in range(50)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert acting.acquire(timeout=10)
    store.held.set()
    for thread in threads:
        thread.join(10)

    serials = [StackState.parse(text, "x").serial for text in store.saved]
    assert len(store.latest.resources) == 50
    assert len(serials) < 10
    assert serials == sorted(set(serials))


def test_acts_that_come_at_once_share_the_failure_of_their_write() -> None:
    """Where the state cannot be kept, fifty threads do not find that out one after the other."""
    acting, tries, failed = threading.Semaphore(0), [], []
    held = threading.Event()

    class Broken(MemoryStateStore):
        def save(self, text: bytes) -> None:
            tries.append(text)
            assert held.wait(10)
            raise StateError("S3 cannot be reached")

    def wall() -> float:
        acting.release()
        return 1000.0

    state_manager = StateManager(StackState("prod", PLACE), Broken(), WRITER, wall)

    def act(name: str) -> None:
        try:
            state_manager.record_intent(name, "create", ResourceState("Thing", "x"))
        except StateError:
            failed.append(name)

    threads = [threading.Thread(target=act, args=(f"n{n}",)) for n in range(50)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert acting.acquire(timeout=10)
    held.set()
    for thread in threads:
        thread.join(10)

    assert len(failed) == 50
    assert len(tries) < 10


def test_no_thread_goes_on_before_its_own_act_is_on_disk(store: MemoryStateStore) -> None:
    state_manager = StateManager(StackState("prod", PLACE), store, WRITER, lambda: 1000.0)
    unwritten: list[str] = []

    def act(name: str) -> None:
        state_manager.record_intent(name, "create", ResourceState("Thing", name))
        if name not in store.latest.resources:
            unwritten.append(name)

    threads = [threading.Thread(target=act, args=(f"n{n}",)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert unwritten == []


def test_what_is_known_is_read_while_another_thread_adds_to_it() -> None:
    """Garbage may be collected in the middle of a listing, and another thread run meanwhile."""
    resource_states = {f"n{n}": ResourceState("Thing", "x", id=f"i{n}", region="here") for n in range(400)}
    state_manager = StateManager(
        StackState("prod", PLACE, resources=resource_states), MemoryStateStore(), WRITER, lambda: 1000.0
    )
    more = itertools.count()

    def add(_phase: str, _told: dict[str, int]) -> None:
        resource_states[f"m{next(more)}"] = ResourceState("Thing", "x")

    thresholds = gc.get_threshold()
    gc.callbacks.append(add)
    gc.set_threshold(20)
    try:
        held = state_manager.state.ids_of_others("n0", "Thing", "here")
        listed = dict(state_manager)
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(add)

    assert held == {f"i{n}" for n in range(1, 400)}
    assert listed.keys() >= {f"n{n}" for n in range(400)}
    assert next(more) > 1
