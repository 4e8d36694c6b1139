"""The lease by itself, before a store in memory: two clocks that move apart, replies that are lost, others who come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from state import lease
from state.errors import LockHeld
from state.lease import (
    CLOCK_SLACK_SECONDS,
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    SAFETY_MARGIN_SECONDS,
    Heartbeat,
    LeaseLock,
)
from state.lock_holder import LockHolder
from state.object_store import StoredObject, WriteConflict
from tests.support.memory_object_store import Ageing, Hands, MemoryShelf

KEY = "prod.lock"
# For so long a holder that is not heard may go on.
TRUSTED = LEASE_SECONDS - SAFETY_MARGIN_SECONDS


@dataclass
class Counting(Ageing):
    """Counts what reaches it, and lets a test do something right before a put."""

    gets: int = 0
    puts: int = 0
    before_put: Callable[[], None] = lambda: None

    def get(self, key: str) -> StoredObject | None:
        self.gets += 1
        return super().get(key)

    def put(self, key: str, text: bytes, over: str | None) -> str:
        self.puts += 1
        do, self.before_put = self.before_put, lambda: None
        do()
        return super().put(key, text, over)


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def store(clock: Hands) -> Counting:
    return Counting(MemoryShelf(), clock)


def lock_of(store: Counting, command: str = "apply", timeout: float = 0) -> LeaseLock:
    return LeaseLock(store, KEY, "s3://team/prod.lock", command, timeout, store.clock)


def holder_in(store: Counting) -> LockHolder:
    stored = store.shelf.get(KEY)
    assert stored
    holder = LockHolder.parse(stored.body)
    assert holder
    return holder


def write(store: Counting, holder: LockHolder) -> None:
    """Another machine writes, whoever holds it."""
    stored = store.shelf.get(KEY)
    Ageing.put(store, KEY, holder.dump().encode(), stored.etag if stored else None)


def elsewhere(token: int = 7) -> LockHolder:
    return LockHolder("ci-runner-4", 1, "teardown", "now", token, machine_id="another", lease_seconds=LEASE_SECONDS)


@pytest.mark.parametrize("way", ["suspend", "step", "sleep"])
def test_of_its_two_clocks_the_one_that_says_less_counts(store: Counting, clock: Hands, way: str) -> None:
    with lock_of(store) as lock:
        store.is_cut_off = True
        getattr(clock, way)(TRUSTED)
        lock.ensure_held()  # not a moment too early

        getattr(clock, way)(1)
        with pytest.raises(LockHeld) as caught:
            lock.ensure_held()

    assert caught.value.message.startswith("The lock s3://team/prod.lock could not be renewed")
    assert caught.value.message.endswith(": S3 cannot be reached")


def test_a_clock_that_is_set_back_makes_no_lease_longer(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        clock.step(-3600)
        store.is_cut_off = True
        clock.sleep(TRUSTED + 1)
        with pytest.raises(LockHeld):
            lock.ensure_held()


def test_a_machine_that_wakes_asks_before_it_goes_on(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        clock.suspend(10 * LEASE_SECONDS)
        lock.ensure_held()
        assert holder_in(store).heartbeat == 1

        clock.suspend(10 * LEASE_SECONDS)
        write(store, elsewhere())
        with pytest.raises(LockHeld, match=r"lost its lock s3://team/prod\.lock: `teardown` .*ci-runner-4"):
            lock.ensure_held()
        assert holder_in(store) == elsewhere()


def test_while_the_lease_is_young_nothing_is_asked(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        asked = store.gets, store.puts
        clock.sleep(TRUSTED)
        lock.ensure_held()

        assert (store.gets, store.puts) == asked


def test_what_could_not_be_renewed_is_tried_again_by_the_heart_alone(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        store.is_cut_off = True
        lock.renew()
        clock.sleep(TRUSTED + 1)
        tried = store.puts
        for _ in range(3):
            with pytest.raises(LockHeld, match="could not be renewed"):
                lock.ensure_held()
        assert store.puts == tried

        store.is_cut_off = False
        lock.renew()
        lock.ensure_held()


def test_a_lease_counts_from_before_the_call_that_takes_it(store: Counting, clock: Hands) -> None:
    store.before_put = lambda: clock.sleep(TRUSTED + 1)
    with lock_of(store) as lock:
        store.is_cut_off = True
        with pytest.raises(LockHeld):
            lock.ensure_held()


def test_another_may_begin_only_after_lease_and_slack(store: Counting, clock: Hands) -> None:
    write(store, elsewhere())
    clock.sleep(LEASE_SECONDS + CLOCK_SLACK_SECONDS)
    with pytest.raises(LockHeld, match="ci-runner-4"), lock_of(store):
        pass

    clock.sleep(1)
    with lock_of(store) as lock:
        assert lock.fencing_token == 8
    assert CLOCK_SLACK_SECONDS >= 1  # S3's ages are in whole seconds: up to one is cut off


def test_the_times_are_those_that_the_documentation_tells() -> None:
    assert (LEASE_SECONDS, HEARTBEAT_SECONDS, SAFETY_MARGIN_SECONDS, CLOCK_SLACK_SECONDS) == (60, 15, 15, 2)
    assert 3 * HEARTBEAT_SECONDS <= TRUSTED  # two beats may be missed


def test_a_lock_without_a_lease_counts_as_one_of_the_usual_length(store: Counting, clock: Hands) -> None:
    write(store, replace(elsewhere(), lease_seconds=None))
    with pytest.raises(LockHeld), lock_of(store):
        pass
    clock.sleep(LEASE_SECONDS + CLOCK_SLACK_SECONDS + 1)
    with lock_of(store):
        pass


def test_the_lease_that_the_holder_wrote_counts(store: Counting, clock: Hands) -> None:
    write(store, replace(elsewhere(), lease_seconds=600.0))
    clock.sleep(600)
    with pytest.raises(LockHeld), lock_of(store):
        pass


def test_a_dead_process_of_this_machine_holds_nothing(store: Counting) -> None:
    dead = replace(LockHolder.this_process("apply", 3, LEASE_SECONDS), pid=2**22 + 1)
    write(store, dead)

    assert lock_of(store).last_holder() == (dead, False)
    with lock_of(store) as lock:
        assert lock.fencing_token == 4


@pytest.mark.parametrize(("timeout", "waited"), [(0, 0), (4, 4), (5, 6)])
def test_who_waits_looks_every_two_seconds_until_its_time_is_over(
    store: Counting, clock: Hands, timeout: float, waited: float
) -> None:
    write(store, elsewhere())
    with pytest.raises(LockHeld, match="ci-runner-4"), lock_of(store, timeout=timeout):
        pass

    assert clock.at == 1000 + waited


def test_what_is_freed_at_the_last_moment_is_taken(store: Counting, clock: Hands) -> None:
    write(store, elsewhere())
    clock.on_sleep = lambda: write(store, replace(elsewhere(), lease_seconds=0.0)) if clock.at == 1004 else None
    with lock_of(store, timeout=4) as lock:
        assert (lock.fencing_token, clock.at) == (8, 1004)


def test_who_is_overtaken_while_it_takes_the_lock_does_not_have_it(store: Counting) -> None:
    store.before_put = lambda: write(store, elsewhere())
    with pytest.raises(LockHeld, match="ci-runner-4"), lock_of(store):
        pass
    assert holder_in(store) == elsewhere()


def test_what_is_given_back_is_free_at_once_and_the_next_has_a_higher_number(store: Counting) -> None:
    first = lock_of(store)
    assert (first.fencing_token, first.last_holder()) == (0, (None, False))
    with first:
        assert first.fencing_token == 1
        assert first.last_holder() == (holder_in(store), True)
        assert (holder_in(store).command, holder_in(store).lease_seconds) == ("apply", LEASE_SECONDS)

    assert (holder_in(store).lease_seconds, holder_in(store).heartbeat) == (0.0, 1)
    assert lock_of(store).last_holder() == (holder_in(store), False)
    with lock_of(store) as second:
        assert second.fencing_token == 2


def test_who_gave_it_back_does_not_have_it(store: Counting) -> None:
    with lock_of(store) as lock:
        pass
    puts = store.puts
    lock.renew()
    with pytest.raises(LockHeld, match="freed by hand"):
        lock.ensure_held()
    assert store.puts == puts


def test_who_never_took_it_does_not_have_it(store: Counting) -> None:
    with pytest.raises(LockHeld):
        lock_of(store).ensure_held()
    assert store.puts == 0


def test_who_lost_it_writes_no_more(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        write(store, elsewhere())
        lock.renew()
        puts = store.puts
        lock.renew()
        with pytest.raises(LockHeld, match="`teardown`"):
            lock.ensure_held()

    assert store.puts == puts
    assert holder_in(store) == elsewhere()


def test_who_lost_it_to_a_person_is_told_so(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        lock_of(store).force_unlock(holder_in(store))
        lock.renew()
        with pytest.raises(LockHeld, match="it was freed by hand"):
            lock.ensure_held()


def test_a_store_that_is_away_at_the_end_is_no_error(store: Counting) -> None:
    with lock_of(store):
        store.is_cut_off = True


def test_who_is_overtaken_before_it_gives_it_back_leaves_it_to_the_other(store: Counting) -> None:
    with lock_of(store):
        write(store, elsewhere())
    assert holder_in(store) == elsewhere()


def test_each_heartbeat_is_a_new_text_and_keeps_the_lock(store: Counting, clock: Hands) -> None:
    with lock_of(store) as lock:
        for beat in range(1, 4):
            clock.sleep(HEARTBEAT_SECONDS)
            lock.renew()
            assert holder_in(store).heartbeat == beat
        clock.sleep(TRUSTED)
        store.is_cut_off = True
        lock.ensure_held()


def test_a_lost_reply_of_a_renewal_is_no_lost_lock(store: Counting) -> None:
    with lock_of(store) as lock:
        store.faults = ["lost"]
        lock.renew()
        lock.renew()
        lock.ensure_held()
    assert holder_in(store).heartbeat == 3


def test_a_lock_that_is_renewed_while_it_is_freed_is_freed_all_the_same(store: Counting) -> None:
    write(store, elsewhere())
    store.before_put = lambda: write(store, replace(elsewhere(), heartbeat=5))
    lock_of(store).force_unlock(elsewhere())

    assert (holder_in(store).lease_seconds, holder_in(store).heartbeat) == (0.0, 6)


def test_a_lock_that_another_has_by_now_is_not_freed(store: Counting) -> None:
    write(store, elsewhere(8))
    with pytest.raises(LockHeld, match="ci-runner-4"):
        lock_of(store).force_unlock(elsewhere(7))
    assert holder_in(store) == elsewhere(8)


def test_what_is_free_is_not_freed_again(store: Counting) -> None:
    lock_of(store).force_unlock(elsewhere())
    assert store.puts == 0


def test_what_nobody_can_read_counts_as_held_until_it_runs_out(store: Counting, clock: Hands) -> None:
    Ageing.put(store, KEY, b"scribble", None)
    with pytest.raises(LockHeld, match="an unknown host"), lock_of(store):
        pass
    clock.sleep(LEASE_SECONDS + CLOCK_SLACK_SECONDS + 1)
    with lock_of(store) as lock:
        assert lock.fencing_token == 1


def test_the_heart_renews_the_lease_until_it_is_given_back(store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.001)
    has_beaten = threading.Event()
    with lock_of(store):
        hearts = [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
        assert [heart.daemon for heart in hearts] == [True]
        store.before_put = has_beaten.set
        assert has_beaten.wait(10)
    assert not hearts[0].is_alive()


def test_a_heart_beats_first_after_one_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[float] = []
    heart = Heartbeat(lambda: beats.append(0), 3600)
    heart.start()
    heart.stop()

    assert beats == []


def test_a_conflict_that_is_nobodys_is_one(store: Counting) -> None:
    """Two that write at once: the store lets one of them through."""
    first, second = lock_of(store), lock_of(store, "deploy")
    with first:
        with pytest.raises(LockHeld, match="`apply`"), second:
            pass
        with pytest.raises(WriteConflict):
            Ageing.put(store, KEY, b"late", "w0")
