"""Runs at the speed of AWS on the simulated clock: what speed 0 hides, and the clock itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock, Stopped
from state.lease import Heartbeat
from tests.faults.fault_case import APPLY, KILLED, FaultCase, InjectedFault
from tests.faults.simulation import Deadlock, Simulation
from tests.faults.world import World


@pytest.fixture
def world(served: LocalAws, tmp_path: Path) -> Iterator[World]:
    """A user with an empty account at the speed of AWS."""
    with World(served.emulator, tmp_path / "home").active() as entered:
        yield entered
    served.reset()


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        ("kill_after", "dynamodb:CreateTable"),
        pytest.param("kill_before", "dynamodb:UpdateTimeToLive", marks=pytest.mark.slow),
        pytest.param("kill_after", "dynamodb:UpdateTimeToLive", marks=pytest.mark.slow),
        pytest.param("kill_after", "rds:CreateDBInstance", marks=pytest.mark.slow),
    ],
)
def test_an_apply_that_was_killed_costs_the_next_one_nothing(world: World, fault: str, operation: str) -> None:
    """After a kill at CreateTable it cost an hour: the cooldown of the table's TTL began when it was found."""
    world.arm(FaultCase(APPLY, (InjectedFault(fault, operation, 1),)))
    assert world.run(APPLY) == KILLED
    world.end_faults()
    start = world.time.elapsed

    assert world.run(APPLY) == 0, world.error_text

    assert world.time.elapsed - start < 15 * 60
    assert world.plan_changes() == []


@pytest.fixture
def clock() -> Iterator[Simulation]:
    """A simulated clock."""
    with Simulation().running() as simulation:
        yield simulation


def test_hours_pass_in_no_time_and_in_their_order(clock: Simulation) -> None:
    wake_ups = []

    def sleeper(hours: int) -> None:
        Clock().sleep(hours * 3600)
        wake_ups.append((hours, round(clock.elapsed)))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sleeper, [3, 1, 2]))

    assert wake_ups == [(1, 3600), (2, 7200), (3, 10800)]


def test_both_clocks_of_the_modules_move_together(clock: Simulation) -> None:
    wall, steady = time.time(), time.monotonic()

    time.sleep(7200)

    assert (time.time() - wall, time.monotonic() - steady) == pytest.approx((7200, 7200))


def test_no_time_passes_while_a_thread_can_run(clock: Simulation) -> None:
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    with ThreadPoolExecutor(2) as pool:
        asleep = pool.submit(Clock().sleep, 60)
        pool.submit(heard.put, "news")
        assert heard.get() == "news"
        assert clock.elapsed == 0
        asleep.result()

    assert clock.elapsed == 60


def test_a_lock_may_be_held_by_one_who_sleeps(clock: Simulation) -> None:
    lock, holds = threading.Lock(), []

    def hold(name: str) -> None:
        with lock:
            Clock().sleep(60)
            holds.append((name, clock.elapsed))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hold, "ab"))

    assert holds == [("a", 60), ("b", 120)]


def test_a_heart_beats_by_this_clock_until_it_is_stopped(clock: Simulation) -> None:
    beats: list[float] = []
    heart = Heartbeat(lambda: beats.append(clock.elapsed), 60.0)
    heart.start()

    Clock().sleep(200)
    heart.stop()
    Clock().sleep(200)

    assert beats == [60, 120, 180]


def test_a_pool_runs_no_more_at_once_than_it_may(clock: Simulation) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Clock().sleep, [10, 10, 10, 10]))

    assert clock.elapsed == 20


def test_who_is_asked_to_stop_sleeps_no_longer(clock: Simulation) -> None:
    asked = Clock()

    with ThreadPoolExecutor(1) as pool:
        asleep = pool.submit(asked.sleep, 3600)
        pool.submit(asked.stop)
        asked.stop()
        with pytest.raises(Stopped):
            asleep.result()

    assert clock.elapsed == 0


def test_where_all_wait_and_nobody_sleeps_it_is_told_and_ends(clock: Simulation) -> None:
    nobody: queue.SimpleQueue[str] = queue.SimpleQueue()

    with pytest.raises(Deadlock, match="no thread can go on"):
        nobody.get()


def test_who_sleeps_for_ever_is_found_out(clock: Simulation) -> None:
    def for_ever() -> None:
        while True:
            Clock().sleep(600)

    with pytest.raises(Deadlock), ThreadPoolExecutor(1) as pool:
        pool.submit(for_ever).result()


def test_who_only_hands_on_and_lets_no_time_pass_is_found_out(clock: Simulation) -> None:
    def for_ever() -> None:
        while True:
            time.sleep(0)

    with pytest.raises(Deadlock, match="no time passes"), ThreadPoolExecutor(1) as pool:
        pool.submit(for_ever).result()
