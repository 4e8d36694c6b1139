"""`state ...`: a bucket made for a team, and the ledger itself in hand; in a folder and in a bucket."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provisioner.bucket.address import Bucket
from provisioner.commands import state_file as keeping
from provisioner.errors import UsageError
from provisioner.names import WRITER
from state.lock_holder import LockHolder
from state.stack_state import StackLocation, StackState
from tests.support.account_inventory import client
from tests.support.user import CommandResult, User

SUFFIX = "prod"
STATE = "s3://team-state/ml/api"
PLACES = ["folder", "bucket"]


class Team:
    """A desk with the state in one of the two places, and a ledger of no resources in it."""

    def __init__(self, user: User, where: str, tmp_path: Path) -> None:
        self.desk = user
        self.is_shared = where == "bucket"
        if self.is_shared:
            user.environment["MLAPI_STATE"] = STATE
            user.well("state", "init", "--yes")
        location = StackLocation("123456789012", "aws", "us-east-1", f"embedded:{user.box.emulator.instance}")
        state = StackState(SUFFIX, location, serial=7, outputs={"vpc_id": "vpc-1"})
        (tmp_path / "first.json").write_bytes(state.dump(WRITER))
        self.well("state", "push", str(tmp_path / "first.json"))

    def run(self, *arguments: str) -> CommandResult:
        return self.desk.run(*arguments, "--suffix", SUFFIX)

    def well(self, *arguments: str) -> CommandResult:
        return self.desk.well(*arguments, "--suffix", SUFFIX)

    @property
    def ledger(self) -> dict[str, Any]:
        return dict(json.loads(self.well("state", "pull").out))

    def push(self, tmp_path: Path, *more: str, **changed: Any) -> CommandResult:
        file = tmp_path / "pushed.json"
        file.write_text(json.dumps({**self.ledger, **changed}))
        return self.run("state", "push", *more, str(file))


@pytest.fixture(params=PLACES)
def team(request: pytest.FixtureRequest, user: User, tmp_path: Path) -> Team:
    return Team(user, request.param, tmp_path)


@pytest.fixture
def shared(user: User, tmp_path: Path) -> Team:
    return Team(user, "bucket", tmp_path)


def test_what_is_pulled_can_be_pushed_back_and_nothing_older(team: Team, tmp_path: Path) -> None:
    whole = team.ledger

    assert "already" in team.push(tmp_path).err
    assert team.push(tmp_path, serial=whole["serial"] - 1).code == 5
    assert team.push(tmp_path, outputs={}).code == 5
    assert "lineage" in team.push(tmp_path, lineage="another", serial=10_000).err
    assert (
        "another account" in team.push(tmp_path, place={**whole["place"], "account": "999999999999"}, serial=10_000).err
    )
    assert team.push(tmp_path, suffix="other").code == 5
    assert team.ledger == whole

    later = team.push(tmp_path, serial=whole["serial"] + 1)
    assert (later.code, team.ledger["serial"]) == (0, whole["serial"] + 1)
    assert team.ledger["fence"] > whole["fence"]


def test_a_push_that_was_killed_when_it_was_written_is_done_when_it_is_repeated(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told that what stands is as new: what it had written itself."""
    file = tmp_path / "pushed.json"
    file.write_text(json.dumps({**team.ledger, "serial": 9}))
    real = keeping.LockedState.replace

    def put(desk: keeping.LockedState, state: StackState) -> None:
        real(desk, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(keeping.LockedState, "replace", put)
        assert team.run("state", "push", str(file)).code == 130

    again = team.run("state", "push", str(file))

    assert again.code == 0, again.err
    assert "has this state already" in again.err
    assert team.ledger["serial"] == 9


def test_force_pushes_over_anything_and_keeps_what_stood(team: Team, tmp_path: Path) -> None:
    whole = team.ledger
    (tmp_path / "whole.json").write_text(json.dumps(whole))

    assert team.push(tmp_path, "--force", lineage="another", serial=1).code == 0
    forced = team.ledger
    assert (forced["lineage"], forced["serial"]) == ("another", whole["serial"] + 1)
    assert any(f"-{whole['serial']:06d}-" in line for line in team.well("state", "history").out.splitlines())

    team.well("state", "push", "--force", str(tmp_path / "whole.json"))
    assert team.ledger["lineage"] == whole["lineage"]


def test_a_past_ledger_can_be_restored(team: Team, tmp_path: Path) -> None:
    assert team.push(tmp_path, serial=8, outputs={}).code == 0
    (version,) = team.well("state", "history", "--json").lines[0]["versions"]
    assert (version["serial"], team.ledger["outputs"]) == (7, {})

    assert team.run("state", "restore", version["name"]).code == 64  # nobody to ask
    assert team.run("state", "restore", "20200101T000000Z-1-none", "--yes").code == 64
    team.well("state", "restore", version["name"], "--yes")

    assert (team.ledger["serial"], team.ledger["outputs"]) == (9, {"vpc_id": "vpc-1"})
    assert len(team.well("state", "history").out.splitlines()) == 3
    team.push(tmp_path, "--force", lineage="another")
    assert team.run("state", "restore", version["name"], "--yes").code == 5
    team.well("state", "restore", version["name"], "--yes", "--force")


def test_a_lock_that_is_held_is_named_and_freed_only_when_asked_for(team: Team) -> None:
    assert "Nobody holds" in team.well("state", "unlock").out
    theirs = LockHolder("ci-runner-4", 4711, "apply", "2026-11-23T03:00:00Z", 99, "ci", "elsewhere", "", 60.0)
    with held_by(team, theirs):
        held = team.run("apply", "--yes")
        assert held.code == 7
        assert "`apply` (process 4711 of ci on ci-runner-4, since 2026-11-23T03:00:00Z)" in held.err
        refused = team.run("state", "unlock")
        assert (refused.code, "ci-runner-4" in refused.err) == (64, True)
        assert "ci-runner-4" in team.well("state", "unlock", "--yes").err

        assert "Nobody holds" in team.well("state", "unlock").out


@contextmanager
def held_by(team: Team, holder: LockHolder) -> Iterator[None]:
    """Somebody holds the lock."""
    if team.is_shared:
        s3 = client(team.desk.box.endpoint, "s3")
        s3.put_object(Bucket="team-state", Key="ml/api/prod.lock", Body=holder.dump().encode())
        yield
        return
    with team.desk.ledger(SUFFIX).with_name(".prod.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(holder.dump())
        file.flush()
        yield


def test_a_state_in_a_folder_needs_no_bucket(user: User) -> None:
    ran = user.run("state", "init", "--yes")

    assert (ran.code, "s3://bucket/prefix" in ran.err) == (64, True)


def test_the_bucket_is_private_versioned_encrypted_and_tls_only(shared: Team) -> None:
    team = shared
    s3, bucket = client(team.desk.box.endpoint, "s3"), {"Bucket": "team-state"}
    own = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl"}
    policy = json.loads(s3.get_bucket_policy(**bucket)["Policy"])
    policy["Statement"].append({**own, "Resource": "arn:aws:s3:::team-state/*"})
    s3.put_bucket_policy(**bucket, Policy=json.dumps(policy))
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
    before = team.desk.mark()

    team.desk.well("state", "init", "--yes")

    set_anew = [one for one in team.desk.acts(before) if not one.endswith("Object")]  # but for the proof
    assert set_anew == ["s3:PutBucketVersioning"]
    closed = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    deny, theirs = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert theirs["Sid"] == "theirs"
    (rule,) = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_what_the_owner_of_a_bucket_has_set_besides_is_left(user: User) -> None:
    """The calls replace a whole policy, and all rules of a life cycle with what goes for all of them."""
    s3, bucket = client(user.box.endpoint, "s3"), {"Bucket": "owned-state"}
    s3.create_bucket(**bucket)
    bare = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl"}
    theirs = {**bare, "Resource": "arn:aws:s3:::owned-state/*"}
    policy = {"Version": "2012-10-17", "Id": "audit-7", "Statement": theirs}
    s3.put_bucket_policy(**bucket, Policy=json.dumps(policy))
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 9}}
    size = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [rule]}, **size)

    user.well("state", "init", "--yes", "--state", "s3://owned-state/x")

    kept = json.loads(s3.get_bucket_policy(**bucket)["Policy"])
    assert (kept["Id"], kept["Statement"][0], len(kept["Statement"])) == ("audit-7", theirs, 2)
    told = s3.get_bucket_lifecycle_configuration(**bucket)
    assert size.items() <= told.items()
    assert [one["ID"] for one in told["Rules"]] == ["old", "ml-api-state"]


def test_a_bucket_is_made_and_found_in_its_own_region(user: User) -> None:
    where = ("--state", "s3://far-away-state/x")
    assert user.run("plan", "--suffix", "new", *where).code == 6
    assert "state init" in user.run("plan", "--suffix", "new", *where).err

    user.well("state", "init", "--yes", "--region", "eu-west-1", *where)

    s3 = client(user.box.endpoint, "s3")
    assert s3.get_bucket_location(Bucket="far-away-state")["LocationConstraint"] == "eu-west-1"
    assert user.run("state", "pull", "--suffix", "new", *where).code == 6
    assert user.well("list", *where).out.split() == ["suffix", "account", "region", "resources"]


@pytest.mark.parametrize("address", ["s3://", "s3://A", "s3:/b/c", "s3://b_c/d", "s3://bucket/a//b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address") as caught:
        Bucket.parse(address, None)

    assert "s3://bucket/prefix" in caught.value.hint
