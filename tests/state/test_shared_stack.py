"""A stack whose state is in a bucket: runs that are killed, cut off or overtaken leave nothing twice."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

import provisioner.bucket.calls
import state.lease
from provisioner.emulator.server import LocalAws
from provisioner.location import LocationOptions
from provisioner.session import Session
from provisioner.settings import Settings
from provisioner.workspace import Workspace
from state.errors import LockHeld
from state.lease import Heartbeat
from state.lock_holder import LockHolder
from state.stack_state import StackLocation as At
from state.stack_state import StackState
from tests.support.account_inventory import Found, client, inventory
from tests.support.user import User

BUCKET, SUFFIX = "team-state", "prod"
LOCK = "ml/prod.lock"


def counts(found: Found) -> dict[str, int]:
    """How many there are of each kind, the bucket left out."""
    return {type_name: len(held) for type_name, held in found.items() if held and "bucket" not in type_name.lower()}


@pytest.fixture(scope="module")
def whole(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many of each kind a whole stack has."""
    User.before(served, tmp_path_factory.mktemp("whole")).apply(SUFFIX)
    return counts(inventory(served.endpoint))


@pytest.fixture
def team(whole: dict[str, int], user: User) -> User:
    user.environment["MLAPI_STATE"] = f"s3://{BUCKET}/ml"
    user.well("state", "init", "--yes")
    return user


def acts(user: User, since: int) -> list[str]:
    """What was called in AWS, but for the state's own writes."""
    return [act for act in user.acts(since) if not act.startswith("s3:")]


def when(user: User, calls: int, then: Callable[[], None]) -> threading.Thread:
    """Do something once so many calls have changed AWS."""

    def watch() -> None:
        deadline = time.monotonic() + 60
        while len(acts(user, 0)) < calls and time.monotonic() < deadline:
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_run_that_is_overtaken_stops_says_by_whom_and_can_go_on_later(
    team: User, whole: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state.lease, "HEARTBEAT_SECONDS", 0.02)
    s3, theirs = (
        client(team.box.endpoint, "s3"),
        LockHolder("ci-4", 4711, "deploy", "today", 9, "ci", lease_seconds=60.0),
    )
    taken: list[int] = []

    def take_over() -> None:
        began = team.mark()
        s3.put_object(Bucket=BUCKET, Key=LOCK, Body=theirs.dump().encode())
        deadline = time.monotonic() + 30
        while not is_refused(began) and time.monotonic() < deadline:
            time.sleep(0.01)
        # What it had let go by then is on its way.
        time.sleep(0.5)
        taken.append(team.mark())

    def is_refused(since: int) -> bool:
        """Whether the run has been told that the lock is not its own."""
        return any(call["service"] == "s3" and call["error"] for call in team.box.calls(since))

    team.slow(0.02)
    watching = when(team, 25, take_over)
    ran = team.run("apply", "--yes", "--suffix", SUFFIX)
    watching.join(60)
    team.slow(0.0)

    assert ran.code == 7, ran.err
    assert "`deploy` (process 4711 of ci on ci-4, since today) holds it now" in ran.err
    assert acts(team, taken[0]) == []
    assert team.run("apply", "--yes", "--suffix", SUFFIX).code == 7
    team.well("state", "unlock", "--yes", "--suffix", SUFFIX)
    team.apply(SUFFIX)
    assert counts(inventory(team.box.endpoint)) == whole


@pytest.mark.slow
def test_a_run_killed_at_a_write_of_its_state_is_found_dead_at_once(team: User, whole: dict[str, int]) -> None:
    number = random.Random(date.today().isoformat()).randrange(4, 30)
    with team.spawn("apply", "--local", "--yes", "--suffix", SUFFIX) as process:
        kill = {"operation": "s3:PutObject", "nth": number, "fault": "kill_after", "pid": process.pid}
        team.box.faults(kill)
        process.communicate(timeout=100)
    team.box.faults()
    assert process.returncode == -signal.SIGKILL, f"at write {number}"

    began = time.monotonic()
    team.apply(SUFFIX)

    assert time.monotonic() - began < state.lease.LEASE_SECONDS, f"at write {number}"
    assert counts(inventory(team.box.endpoint)) == whole, f"at write {number}"


@pytest.mark.slow
def test_no_write_is_taken_for_lost_and_where_none_can_be_made_the_run_stops(
    team: User, whole: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioner.bucket.calls, "RETRY_TIMEOUT_SECONDS", 1.0)
    faults = ["lost_reply", "503_after", "500_before", "throttle", "reset"]
    passing = zip(range(2, 27, 5), faults, strict=True)
    for_good = {"operation": "s3:PutObject", "nth": 30, "fault": "503_before", "times": 10_000}
    team.box.faults(*({"operation": "s3:PutObject", "nth": n, "fault": one} for n, one in passing), for_good)
    ran = team.run("apply", "--yes", "--suffix", SUFFIX)
    team.box.faults()

    assert ran.code == 1
    assert f"writing the state s3://{BUCKET}/ml/prod.json" in ran.err
    client(team.box.endpoint, "s3").delete_object(Bucket=BUCKET, Key=LOCK)  # its lease has run out
    team.apply(SUFFIX)
    assert counts(inventory(team.box.endpoint)) == whole


@pytest.mark.slow
def test_a_colleague_finds_the_stack_and_mends_what_happened_to_its_ledger(team: User, tmp_path: Path) -> None:
    team.apply(SUFFIX)
    assert not team.ledger(SUFFIX).exists()
    colleague = team.elsewhere(tmp_path / "colleague")
    before = colleague.mark()
    (listed,) = colleague.well("list", "--json").lines[0]["stacks"]
    # The roles that ECS and others share in an account are nobody's stack.
    ours = sum(one["kind"] != "ServiceLinkedRole" for one in pulled(team)["entries"].values())
    assert (listed["suffix"], listed["resources"]) == (SUFFIX, ours)
    assert colleague.well("status").code == 0

    s3 = client(team.box.endpoint, "s3")
    entries = {name: one["id"] for name, one in pulled(team)["entries"].items()}
    s3.put_object(Bucket=BUCKET, Key="ml/prod.json", Body=b"{")
    refused = colleague.run("plan", "--suffix", SUFFIX)
    assert (refused.code, f"s3://{BUCKET}/ml/prod.json is no state file" in refused.err) == (1, True)
    colleague.well("apply", "--yes", "--suffix", SUFFIX, "--adopt-all")

    assert acts(colleague, before) == []
    assert {name: one["id"] for name, one in pulled(team)["entries"].items()} == entries
    assert team.well("plan", "-q", "--suffix", SUFFIX).out == "No changes.\n"
    team.teardown(SUFFIX)
    assert team.run("list").out.splitlines()[1:] == []
    assert team.run("teardown", "--yes", "--suffix", SUFFIX).code == 6
    assert team.run("list").out.splitlines()[1:] == []


def pulled(user: User) -> dict[str, Any]:
    """The ledger as it stands."""
    return dict(json.loads(user.well("state", "pull", "--suffix", SUFFIX).out))


def test_a_rehearsal_keeps_its_state_on_loopback_whatever_the_environment_says(team: User) -> None:
    nowhere = "http://192.0.2.1:1"  # TEST-NET-1: nobody answers there
    team.environment |= {"AWS_ENDPOINT_URL": nowhere, "AWS_ENDPOINT_URL_S3": nowhere}

    team.well("plan", "--suffix", SUFFIX)


def test_the_heart_beats_until_it_is_stopped(tmp_path: Path) -> None:
    beats = threading.Semaphore(0)
    heart = Heartbeat(beats.release, 0.001)
    heart.start()
    assert beats.acquire(timeout=10)
    assert beats.acquire(timeout=10)
    heart.stop()
    while beats.acquire(blocking=False):
        pass

    assert not beats.acquire(timeout=0.02)


def test_who_slept_right_after_taking_the_lock_claims_nothing_from_the_next_holder(tmp_path: Path) -> None:
    options, location = LocationOptions(Workspace(tmp_path)), At("123456789012", "aws", "us-east-1")
    aws: Any = SimpleNamespace(local=None)
    session = Session(SUFFIX, Settings(), options, aws, location, StackState(SUFFIX, location))
    store, lock = Mock(), Mock(fencing_token=1)
    lock.ensure_held.side_effect = LockHeld("another holds it now")

    with pytest.raises(LockHeld, match="another holds it now"):
        session.claim_state(store, lock)

    store.claim.assert_not_called()
