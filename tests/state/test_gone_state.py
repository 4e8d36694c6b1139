"""A state whose bucket is gone: the emulator that held it ended or was emptied, or the name is mistyped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.bucket.address import Bucket
from provisioner.commands.hints import complete_hint
from provisioner.commands.main import cli
from provisioner.emulator.control_client import STATE
from provisioner.emulator.server import LocalAws
from provisioner.errors import StateGone
from state.errors import StateError
from tests.support.user import CommandResult, User

NO_SUCH_STACK = 6
WHERE = "s3://team-state/ml"
# Every command that reads a state.
READERS = (
    *("status --suffix a", "status", "status --all", "status --cached --suffix a", "outputs --suffix a"),
    *("list", "history", "history --suffix a", "show", "diff", "timeline --suffix a", "plan --suffix a"),
    *("plan --all", "drift --suffix a", "doctor --suffix a", "doctor", "logs --suffix a", "releases"),
    *("report --suffix a --html page.html", "open --print --suffix a", "verify-gone --suffix a"),
    *("apply --yes --suffix a", "teardown --yes --suffix a", "deploy --image nginx:1 --yes --suffix a"),
    *("rollback --yes --suffix a", "restart --yes --suffix a", "scale --min 1 --yes --suffix a"),
    *("rotate-origin-secret --yes --suffix a", "state pull --suffix a", "state history --suffix a"),
    *("state unlock --yes --suffix a", "state restore --yes --suffix a V"),
)


def desk_of(box: LocalAws, home: Path) -> User:
    user = User.before(box, home)
    user.environment["MLAPI_STATE"] = WHERE
    user.well("state", "init", "--yes")
    return user


@pytest.fixture(scope="module")
def ended(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """The emulator that held the bucket has ended: no process, no file of it."""
    user = desk_of(served, tmp_path_factory.mktemp("ended") / "home")
    (user.home / "embedded" / "server" / STATE).unlink()
    return user


@pytest.fixture(scope="module")
def again(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """The emulator was started again: it is empty."""
    user = desk_of(served, tmp_path_factory.mktemp("again") / "home")
    served.reset()
    return user


def must_say_what_to_do(ran: CommandResult, *, local: bool = True) -> None:
    assert ran.code == NO_SUCH_STACK, ran.out + ran.err
    words = f"--state {WHERE}{' --local' if local else ''}"
    assert f"state init {words}` makes the bucket" in ran.err
    assert "s3://..." not in ran.err
    assert "healthy" not in ran.out


@pytest.mark.parametrize("typed", READERS)
def test_a_state_whose_local_aws_ended_is_told_so_and_no_other_is_started(ended: User, typed: str) -> None:
    ran = ended.run(*typed.split())

    must_say_what_to_do(ran)
    assert f"No local AWS runs: one that held the state {WHERE} has ended" in ran.err
    assert not (ended.home / "embedded" / "server" / STATE).exists()


@pytest.mark.parametrize("typed", READERS)
def test_a_state_whose_local_aws_was_started_anew_is_told_so(again: User, typed: str) -> None:
    ran = again.run(*typed.split())

    must_say_what_to_do(ran)
    assert f"The local AWS at {again.box.endpoint}, started at now, has no bucket team-state" in ran.err
    assert again.acts() == []


def test_the_hint_names_the_stack_and_a_program_reads_the_same(again: User) -> None:
    ran = again.run("status", "--suffix", "prod", "--json")

    assert f"apply --suffix prod --state {WHERE} --local` brings the stack up again" in ran.err
    (told,) = ran.lines
    assert told["result"] == "state_gone"


def test_what_the_environment_says_stands_in_the_place_of_a_placeholder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT_SUFFIX", "prod")
    monkeypatch.setenv("MLAPI_STATE", WHERE)

    told = complete_hint("`apply --suffix NAME`, `state init --state s3://...`, `plan`", ["status"], cli)

    assert "apply --suffix prod`" in told
    assert f"state init --state {WHERE}`" in told
    assert told.endswith(" plan`")


@pytest.mark.parametrize("typed", ["status --suffix a", "list", "history", "apply --yes --suffix a"])
def test_an_emulator_that_is_found_by_its_endpoint_is_told_so(again: User, typed: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1"}
    there = {"AWS_ENDPOINT_URL": again.box.endpoint, **keys}
    user = User(again.box, again.home, again.environment | there)

    ran = user.run(*typed.split(), local=False)

    must_say_what_to_do(ran, local=False)
    assert f"The emulator at {again.box.endpoint} has no bucket team-state" in ran.err


def lacks(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "no"}}, "GetObject")


@pytest.mark.parametrize(
    ("store", "elsewhere"),
    [
        ("", {}),
        ("https://minio.example:9000", {}),
        ("https://minio.example:9000", {"": "http://127.0.0.1:1"}),
    ],
    ids=["AWS", "a store", "a store beside an emulator"],
)
def test_a_bucket_of_a_store_that_lasts_is_no_lost_stack(
    monkeypatch: pytest.MonkeyPatch, store: str, elsewhere: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    for service, url in elsewhere.items():
        monkeypatch.setenv(f"AWS_ENDPOINT_URL{service}", url)
    monkeypatch.setattr(Bucket, "region", "us-east-1")
    bucket = Bucket.parse("s3://mistyped/ml", None, "us-east-1", store)
    monkeypatch.setattr(bucket.client, "get_object", lacks)

    with pytest.raises(StateError) as caught:
        bucket.backend.store("a").load()

    error = caught.value
    assert (error.exit_code, isinstance(error, StateGone)) == (1, False)
    assert error.message == "reading the state s3://mistyped/ml/a.json: there is no such bucket."
    words = "--state s3://mistyped/ml" + (f" --state-endpoint {store}" if store else "")
    assert f"Look at the name: {words}." in error.hint
    assert f"state init {words}` makes the bucket" in error.hint


@pytest.fixture
def alone(served: LocalAws, tmp_path: Path) -> Iterator[User]:
    """A user with an emulator in a process of its own, which ends with the test."""
    user = User(served, tmp_path / "home", {"MLAPI_STATE": WHERE})
    yield user
    user.process("local", "stop")


def test_killed_and_started_anew_the_state_comes_back_by_what_is_told(alone: User) -> None:
    assert alone.process("state", "init", "--local", "--yes").code == 0
    os.kill(int(alone.process("local", "status", "--json").lines[0]["pid"]), signal.SIGKILL)

    must_say_what_to_do(alone.process("status", "--local", "--suffix", "a"))
    assert alone.process("local", "status").code == 1  # none was started
    assert alone.process("local", "start").code == 0
    must_say_what_to_do(alone.process("status", "--local", "--suffix", "a"))

    assert alone.process("state", "init", "--local", "--yes", "--state", WHERE).code == 0
    ran = alone.process("plan", "-q", "--suffix", "a", "--state", WHERE, "--local")
    assert ran.code == 0, ran.err
