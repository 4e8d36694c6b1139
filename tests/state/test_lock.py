"""The lock of a stack, in a folder and in a bucket: one holds it; who lost it neither calls nor writes."""

from __future__ import annotations

import errno
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.clock import Clock
from state.errors import LockHeld, StateError
from state.lease import HEARTBEAT_SECONDS, LEASE_SECONDS, SAFETY_MARGIN_SECONDS
from state.lock import FileLock, Lock
from state.lock_holder import LockHolder
from tests.support.shared_state import PLACES, Place, make_bucket, place_of
from tests.support.user import ROOT

HOLDER = """
import sys
import time
from provisioner.engine.calls.clock import Clock
from provisioner.workspace import Workspace
import os

workspace = Workspace.here(local=True, state=os.environ["MLAPI_STATE"])
with workspace.lock("prod", "apply", 0, Clock()) as lock:
    print("held", lock.fencing_token, flush=True)
    sys.stdin.read()
"""


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def emulator_server(served: LocalAws) -> LocalAws:
    served.behave(behaviours=True, speed=0.0)
    served.reset()
    make_bucket(served)
    return served


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, emulator_server: LocalAws, tmp_path: Path) -> Place:
    return place_of(request.param, emulator_server, tmp_path / "home", f"{next(_NUMBERS)}")


@pytest.fixture
def shared(emulator_server: LocalAws, tmp_path: Path) -> Place:
    return place_of("bucket", emulator_server, tmp_path / "home", f"{next(_NUMBERS)}")


def lock_of(place: Place, command: str = "apply", timeout: float = 0) -> Lock:
    return place.archive.lock("prod", command, timeout, place.clock)


@contextmanager
def held_elsewhere(place: Place) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock."""
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=place.environment
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held 1\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_process_keeps_others_out_until_it_is_killed_and_no_longer(place: Place) -> None:
    with held_elsewhere(place) as process:
        with pytest.raises(LockHeld) as caught, lock_of(place, "teardown"):
            pass
        holder, is_held = lock_of(place).last_holder()

        assert caught.value.exit_code == 7
        assert f"`apply` (process {process.pid} of " in caught.value.message
        assert "--lock-timeout" in caught.value.hint
        assert holder is not None
        assert (holder.pid, is_held) == (process.pid, True)

        process.kill()  # not waited for: a process that has ended and was not asked for is dead too
        place.clock.on_sleep = lambda: time.sleep(0.02)
        with lock_of(place, timeout=60) as lock:
            assert lock.fencing_token == 2


FIGHTER = """
import os, sys, time
from provisioner.engine.calls.clock import Clock
from provisioner.workspace import Workspace
from state.stack_state import StackState, StackLocation
from state.manager import StateManager

class Quick(Clock):
    def sleep(self, seconds):
        super().sleep(seconds / 50)

workspace = Workspace.here(local=True, state=os.environ["MLAPI_STATE"])
store = workspace.store("prod")
store.load()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    with workspace.lock("prod", sys.argv[1], 100, Quick()) as lock:
        document = workspace.load_state("prod") or StackState("prod", StackLocation("1", "aws", "us-east-1"))
        document.fencing_token = max(lock.fencing_token, document.fencing_token + 1)
        assert store.claim(document.dump("a test"))
        time.sleep(0.02)
        count = document.outputs.get("count", "")
        manager = StateManager(document, store, "a test", Clock().wall, lock.ensure_held)
        manager.record_outputs([], {"count": count + sys.argv[1]})
        store.release_claim()
"""


def test_two_processes_that_fight_for_it_lose_nothing_of_each_other(place: Place) -> None:
    fighters = [
        subprocess.Popen(
            [sys.executable, "-c", FIGHTER, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=place.environment,
        )
        for name in "ab"
    ]
    for one in fighters:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    with fighters[0], fighters[1]:
        for one in fighters:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        ended = [one.communicate(timeout=100)[0] for one in fighters]

    assert (ended, [one.returncode for one in fighters]) == (["", ""], [0, 0])
    state = place.workspace.load_state("prod")
    assert state is not None
    assert sorted(state.outputs["count"]) == list("aaaabbbb")
    assert (state.serial, state.fencing_token) == (8, 8)


def test_one_may_wait_for_it(place: Place) -> None:
    with lock_of(place) as first:
        place.clock.on_sleep = lambda: (first.__exit__(None, None, None), None)[1]

        with lock_of(place, timeout=60) as lock:
            assert lock.fencing_token == 2


def test_a_wait_for_it_ends(place: Place) -> None:
    before = place.clock.at
    with lock_of(place), pytest.raises(LockHeld), lock_of(place, timeout=5):
        pass

    assert 5 <= place.clock.at - before < 10


def test_each_holder_gets_a_higher_number(place: Place) -> None:
    numbers = []
    for _ in range(3):
        with lock_of(place) as lock:
            lock.ensure_held()
            numbers.append(lock.fencing_token)

    assert numbers == [1, 2, 3]


def test_it_is_free_after_an_error(place: Place) -> None:
    with pytest.raises(ZeroDivisionError), lock_of(place):
        raise ZeroDivisionError

    assert lock_of(place).last_holder()[1] is False
    with lock_of(place):
        pass


def test_who_lost_it_to_a_person_neither_calls_nor_writes(place: Place) -> None:
    with lock_of(place) as lock:
        holder, _ = lock_of(place).last_holder()
        assert holder
        lock_of(place).force_unlock(holder)
        place.clock.at += LEASE_SECONDS - SAFETY_MARGIN_SECONDS + 1  # a heartbeat later at the latest

        with pytest.raises(LockHeld, match="lost its lock"):
            lock.ensure_held()


def test_who_lost_it_to_another_run_says_to_whom(shared: Place) -> None:
    with lock_of(shared) as old:
        shared.clock.at += LEASE_SECONDS + 3
        with lock_of(shared, "teardown") as new:
            with pytest.raises(LockHeld, match="`teardown`"):
                old.ensure_held()

            assert (old.fencing_token, new.fencing_token) == (1, 2)
        old.__exit__(None, None, None)
        assert lock_of(shared).last_holder()[1] is False


def test_a_lease_that_runs_is_not_taken_over_and_one_that_ran_out_is(shared: Place) -> None:
    elsewhere = replace(
        LockHolder.this_process("apply", 7, LEASE_SECONDS), host="ci-runner-4", machine_id="another machine"
    )
    assert shared.shelf
    shared.shelf.put(f"{shared.workspace.state_address.rpartition('/')[2]}/prod.lock", elsewhere.dump().encode(), None)

    shared.clock.at += LEASE_SECONDS
    with pytest.raises(LockHeld, match="ci-runner-4"), lock_of(shared):
        pass
    shared.clock.at += 3
    with lock_of(shared) as lock:
        assert lock.fencing_token == 8


def test_heartbeats_keep_it(shared: Place) -> None:
    with lock_of(shared) as lock:
        for _ in range(10):
            shared.clock.at += HEARTBEAT_SECONDS
            lock.renew()  # type: ignore[attr-defined]
            with pytest.raises(LockHeld), lock_of(shared):
                pass
            lock.ensure_held()


def test_when_no_heartbeat_gets_through_the_run_stops_before_others_may_start(shared: Place) -> None:
    assert shared.shelf
    with lock_of(shared) as lock:
        shared.shelf.is_cut_off = True
        for _ in range(2):
            shared.clock.at += HEARTBEAT_SECONDS
            lock.renew()  # type: ignore[attr-defined]
            lock.ensure_held()
        shared.clock.at += HEARTBEAT_SECONDS + 1

        with pytest.raises(LockHeld, match=r"could not be renewed.*S3 cannot be reached"):
            lock.ensure_held()

        shared.shelf.is_cut_off = False
        lock.renew()  # type: ignore[attr-defined]
        lock.ensure_held()


def test_a_machine_that_slept_goes_on_where_nobody_took_over(shared: Place) -> None:
    with lock_of(shared) as lock:
        shared.clock.at += 10 * LEASE_SECONDS
        lock.ensure_held()


def test_a_lost_reply_of_a_heartbeat_is_no_lost_lock(shared: Place) -> None:
    assert shared.shelf
    shared.shelf.faults = ["lost"]
    with lock_of(shared) as lock:
        shared.shelf.faults = ["lost"]
        lock.renew()  # type: ignore[attr-defined]
        lock.ensure_held()

    assert shared.shelf.faults == []


TYPES = '{"host": "h", "pid": "x", "command": "apply", "since": "now", "fence": "3"}'


@pytest.mark.parametrize("scribble", ["", "{", '{"pid": 1}', "null", "[1]", TYPES])
def test_a_scribbled_lock_is_taken_once_nobody_can_hold_it(place: Place, scribble: str) -> None:
    if place.shelf:
        key = f"{place.workspace.state_address.split('/', 3)[3]}/prod.lock"
        place.shelf.put(key, scribble.encode(), None)
        with pytest.raises(LockHeld), lock_of(place):
            pass
        place.clock.at += LEASE_SECONDS + 3
    else:
        path = place.workspace.home / "embedded" / ".prod.lock"
        path.parent.mkdir(parents=True)
        path.write_text(scribble)

    with lock_of(place) as lock:
        assert lock.fencing_token == 1


def test_a_number_of_another_run_in_the_file_is_a_lost_lock(tmp_path: Path, emulator_server: LocalAws) -> None:
    place = place_of("folder", emulator_server, tmp_path / "home", "")
    with lock_of(place) as lock:
        path = place.workspace.home / "embedded" / ".prod.lock"
        path.write_text(json.dumps({**json.loads(path.read_text()), "fence": 2}))

        with pytest.raises(LockHeld):
            lock.ensure_held()


FULL = """
import resource, sys
from pathlib import Path
from provisioner.engine.calls.clock import Clock
from state.errors import StateError
from state.lock import FileLock

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with FileLock(Path(sys.argv[1]), "apply", 0, Clock()):
        pass
except StateError as error:
    print(error.message)
"""


@pytest.mark.parametrize("room", ["0", "50"])
def test_a_full_disk_is_told_of(tmp_path: Path, room: str) -> None:
    path = tmp_path / ".a.lock"
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path), room], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.stdout.startswith(f"The lock {path} cannot be taken"), ran.stderr
    assert ran.stderr == ""


def test_a_lock_that_cannot_be_removed_is_an_error_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FileLock(tmp_path / ".a.lock", "apply", 0, Clock())

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with lock:
        holder = lock.last_holder()[0]
        monkeypatch.setattr(Path, "unlink", refuse)
        assert holder
        with pytest.raises(StateError, match=r"freed: Permission denied"):
            lock.force_unlock(holder)
