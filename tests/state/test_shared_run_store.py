"""Records of runs in the bucket of a team: everybody sees them, nobody's run fails for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.errors import StateError
from state.run_store import RUNS_KEPT, JsonObject, RunId, S3RunStore
from tests.cli.test_history import record
from tests.support.account_inventory import client
from tests.support.memory_object_store import MemoryShelf
from tests.support.user import User

BUCKET, STATE = "team-state", "s3://team-state/ml"
PART = ("--yes", "--suffix", "prod", "--target", "vpc/vpc")


@pytest.fixture
def runs() -> S3RunStore:
    return S3RunStore(MemoryShelf(), "s3://team/", "ml/runs/")


def left(runs: S3RunStore, suffix: str, at: float, doc: JsonObject) -> RunId:
    """A record of a run that began then."""
    runs.save(runs.new_record(suffix, at), doc)
    runs.prune(suffix)
    return runs.run_ids(suffix)[0]


def test_a_record_is_written_over_by_its_own_run_and_read_by_all(runs: S3RunStore) -> None:
    store = runs.new_record("prod", 1e9)
    runs.save(store, record(result="running"))
    runs.save(store, record(result="ok"))

    (name,) = runs.run_ids("prod")
    assert (name.run, runs.read(name)) == ("20010909T014640.000Z", record(result="ok"))


def test_of_each_stack_the_newest_are_kept(runs: S3RunStore) -> None:
    left(runs, "prod-2", 1.0, record())
    for second in range(RUNS_KEPT + 2):
        left(runs, "prod", 1000.0 + second, record(start=second))

    kept = [runs.read(name)["start"] for name in runs.run_ids("prod")]
    assert kept == list(range(RUNS_KEPT + 1, 1, -1))
    assert runs.suffixes() == ["prod", "prod-2"]
    assert [name.suffix for name in runs.run_ids("*")][-1] == "prod-2"


def keys(user: User) -> list[str]:
    """The records that the bucket holds, as S3 says."""
    listed = client(user.box.endpoint, "s3").list_objects_v2(Bucket=BUCKET, Prefix="ml/runs/")
    return [one["Key"] for one in listed.get("Contents", ())]


def test_a_colleague_reads_what_the_team_ran_also_when_the_stack_is_gone(user: User, tmp_path: Path) -> None:
    user.environment |= {"MLAPI_STATE": STATE, "MLAPI_PROFILE": "seed"}
    user.well("state", "init", "--yes")
    user.well("apply", *PART, "--set", 'container.environment={"TOKEN":"hush"}')
    user.elsewhere(tmp_path / "ci").teardown("prod")
    other = user.elsewhere(tmp_path / "other")

    (told,) = other.well("history", "--json").lines
    shown = other.well("show", "last~1", "--suffix", "prod").out

    assert [run["command"] for run in told["runs"]] == ["teardown", "apply"]
    assert {run["caller"] for run in told["runs"]} == {"arn:aws:sts::123456789012:user/moto"}
    assert all("@" in run["who"] and run["seconds"] for run in told["runs"])
    assert "as arn:aws:sts::123456789012:user/moto" in shown
    assert "(not kept)" in shown
    assert "hush" not in shown
    assert other.well("diff", "--suffix", "prod").out
    assert "teardown of prod" in other.well("timeline", "--suffix", "prod").out
    assert len(keys(user)) == 2
    assert not (tmp_path / "other" / "embedded" / "runs").exists()


def test_a_record_that_cannot_be_sent_is_told_and_fails_no_run(user: User) -> None:
    user.environment |= {"MLAPI_STATE": STATE, "MLAPI_PROFILE": "seed"}
    user.well("state", "init", "--yes")
    # The lock, the claim, and then the record.
    user.box.faults({"operation": "s3:PutObject", "fault": "access_denied", "nth": 3})

    ran = user.well("apply", *PART)

    assert "The record of this run is not kept for others yet. writing the state s3://team-state/ml/runs/" in ran.err
    (file,) = (user.home / "embedded" / "runs" / "prod").iterdir()
    assert str(file) in ran.err
    assert [Path(key).name for key in keys(user)] == [file.name]


def refuse(*_: object) -> None:
    """The bucket takes no record."""
    raise StateError("The bucket takes none.")


def test_a_record_that_could_not_be_sent_is_sent_by_the_next_run(user: User) -> None:
    user.environment |= {"MLAPI_STATE": STATE, "MLAPI_PROFILE": "seed"}
    user.well("state", "init", "--yes")
    user.well("apply", *PART)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3RunStore, "save", refuse)
        user.well("apply", *PART)
    folder = user.home / "embedded" / "runs" / "prod"
    (waits,) = folder.glob("*.unsent")
    assert len(keys(user)) == 1

    user.well("apply", *PART)

    assert sorted(Path(key).name for key in keys(user)) == sorted(path.name for path in folder.iterdir())
    shared = client(user.box.endpoint, "s3").get_object(Bucket=BUCKET, Key=f"ml/runs/prod/{waits.stem}")
    assert shared["Body"].read() == (folder / waits.stem).read_bytes()


def test_a_bucket_that_refuses_is_told_in_words(user: User) -> None:
    user.environment |= {"MLAPI_STATE": STATE, "MLAPI_PROFILE": "seed"}
    user.well("state", "init", "--yes")
    assert user.run("history").code == 6
    user.box.faults({"operation": "s3:ListObjectsV2", "fault": "expired", "times": 9})

    ran = user.run("history")

    assert (ran.code, ran.out) == (3, "")
    assert "AWS does not accept these credentials" in ran.err
