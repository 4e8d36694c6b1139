"""`state ...`: a bucket made for a team, and the ledger itself in hand; in a folder and in a bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.bucket.address import Bucket
from provisioner.embedded.server import EmbeddedAws
from provisioner.errors import UsageError
from state.owner import Owner
from tests.harness import Desk, Ran
from tests.inventory import client, inventory

SUFFIX = "prod"
STATE = "s3://team-state/ml/api"
PLACES = ["folder", "bucket"]


class Team:
    """A desk, with the state in one of the two places."""

    def __init__(self, desk: Desk, where: str) -> None:
        self.desk = desk
        self.is_shared = where == "bucket"
        if self.is_shared:
            desk.environment["MLAPI_STATE"] = STATE
            desk.well("state", "init", "--yes")

    def run(self, *arguments: str) -> Ran:
        return self.desk.run(*arguments, "--suffix", SUFFIX)

    def well(self, *arguments: str) -> Ran:
        return self.desk.well(*arguments, "--suffix", SUFFIX)

    @property
    def ledger(self) -> dict[str, Any]:
        return dict(json.loads(self.well("state", "pull").out))

    def push(self, tmp_path: Path, *more: str, **changed: Any) -> Ran:
        file = tmp_path / "pushed.json"
        file.write_text(json.dumps({**self.ledger, **changed}))
        return self.run("state", "push", *more, str(file))


@pytest.fixture(scope="module", params=PLACES)
def team(
    request: pytest.FixtureRequest, served: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory
) -> Team:
    """A stack that stands; its tests change the ledger and set it right again."""
    team = Team(Desk.before(served, tmp_path_factory.mktemp("team") / "home"), request.param)
    team.well("apply", "--yes")
    return team


@pytest.fixture
def _is_well_after(team: Team) -> Iterator[None]:
    yield
    assert team.well("plan", "--quiet").out == "No changes.\n"


def test_a_shared_state_is_found_from_another_machine(team: Team, tmp_path: Path) -> None:
    if not team.is_shared:
        assert team.desk.ledger(SUFFIX).exists()
        return
    assert not team.desk.ledger(SUFFIX).exists()
    colleague = team.desk.elsewhere(tmp_path / "colleague")
    before = colleague.mark()

    assert colleague.well("plan", "--suffix", SUFFIX, "-q").out == "No changes.\n"
    listed = colleague.well("list", "--json").lines[0]["stacks"]
    assert [(one["suffix"], one["resources"]) for one in listed] == [(SUFFIX, len(team.ledger["entries"]))]
    assert colleague.well("status").code == 0
    assert colleague.acts(before) == []


@pytest.mark.usefixtures("_is_well_after")
def test_what_is_pulled_can_be_pushed_back_and_nothing_older(team: Team, tmp_path: Path) -> None:
    whole = team.ledger

    assert "already" in team.push(tmp_path).err
    assert team.push(tmp_path, serial=whole["serial"] - 1).code == 5
    assert team.push(tmp_path, outputs={}).code == 5
    assert "lineage" in team.push(tmp_path, lineage="another", serial=10_000).err
    assert (
        "another account"
        in team.push(tmp_path, place={**whole["place"], "account": "999999999999"}, serial=10_000).err
    )
    assert team.push(tmp_path, suffix="other").code == 5
    assert team.ledger == whole

    later = team.push(tmp_path, serial=whole["serial"] + 1)
    assert (later.code, team.ledger["serial"]) == (0, whole["serial"] + 1)
    assert team.ledger["fence"] > whole["fence"]


@pytest.mark.usefixtures("_is_well_after")
def test_force_pushes_over_anything_and_keeps_what_stood(team: Team, tmp_path: Path) -> None:
    whole = team.ledger
    (tmp_path / "whole.json").write_text(json.dumps(whole))

    assert team.push(tmp_path, "--force", lineage="another", serial=1).code == 0
    forced = team.ledger
    assert (forced["lineage"], forced["serial"]) == ("another", whole["serial"] + 1)
    assert any(f"-{whole['serial']:06d}-" in line for line in team.well("state", "history").out.splitlines())

    team.well("state", "push", "--force", str(tmp_path / "whole.json"))
    assert team.ledger["lineage"] == whole["lineage"]


@pytest.mark.usefixtures("_is_well_after")
def test_a_past_ledger_can_be_restored_and_aws_decides_what_is_true(team: Team) -> None:
    stood = inventory(team.desk.box.endpoint)
    team.well("apply", "--yes", "--set", "logs.days=14")
    newest = team.well("state", "history", "--json").lines[0]["versions"][-1]
    serial = team.ledger["serial"]

    assert team.run("state", "restore", newest["name"]).code == 64  # nobody to ask
    assert team.run("state", "restore", "20200101T000000Z-1-none", "--yes").code == 64
    team.well("state", "restore", newest["name"], "--yes")

    assert team.ledger["serial"] == serial + 1
    team.well("apply", "--yes")
    assert inventory(team.desk.box.endpoint) == stood


@pytest.mark.usefixtures("_is_well_after")
def test_a_lock_that_is_held_is_named_and_freed_only_when_asked_for(team: Team) -> None:
    assert "Nobody holds" in team.well("state", "unlock").out
    if not team.is_shared:
        return
    s3 = client(team.desk.box.endpoint, "s3")
    theirs = Owner("ci-runner-4", 4711, "apply", "2026-11-23T03:00:00Z", 99, "ci", "elsewhere", "", 60.0)
    s3.put_object(Bucket="team-state", Key="ml/api/prod.lock", Body=theirs.dump().encode())

    held = team.run("apply", "--yes")
    assert held.code == 7
    assert "`apply` (process 4711 of ci on ci-runner-4, since 2026-11-23T03:00:00Z)" in held.err
    assert "process 4711" in team.well("plan").out + team.well("plan").err
    refused = team.run("state", "unlock")
    assert (refused.code, "ci-runner-4" in refused.err) == (64, True)
    assert team.run("apply", "--yes").code == 7

    team.well("state", "unlock", "--yes")
    team.well("apply", "--yes")
    assert team.ledger["fence"] > 99


@pytest.mark.usefixtures("_is_well_after")
def test_a_damaged_ledger_is_rebuilt_wherever_it_is(team: Team) -> None:
    entries = {name: one["id"] for name, one in team.ledger["entries"].items()}
    if team.is_shared:
        s3 = client(team.desk.box.endpoint, "s3")
        s3.put_object(Bucket="team-state", Key="ml/api/prod.json", Body=b"{")
    else:
        team.desk.ledger(SUFFIX).write_bytes(b"{")

    assert team.run("plan").code == 1
    assert ("s3://team-state/ml/api/prod.json" in team.run("plan").err) is team.is_shared
    before = team.desk.mark()
    team.well("apply", "--yes", "--adopt-all")

    assert [act for act in team.desk.acts(before) if not act.startswith("s3:")] == []
    assert {name: one["id"] for name, one in team.ledger["entries"].items()} == entries


def test_the_bucket_is_private_versioned_encrypted_and_tls_only(team: Team) -> None:
    if not team.is_shared:
        ran = team.desk.run("state", "init", "--yes")
        assert (ran.code, "s3://bucket/prefix" in ran.err) == (64, True)
        return
    s3, bucket = client(team.desk.box.endpoint, "s3"), {"Bucket": "team-state"}
    own = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl"}
    policy = json.loads(s3.get_bucket_policy(**bucket)["Policy"])
    policy["Statement"].append({**own, "Resource": "arn:aws:s3:::team-state/*"})
    s3.put_bucket_policy(**bucket, Policy=json.dumps(policy))
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
    before = team.desk.mark()

    team.desk.well("state", "init", "--yes")

    assert team.desk.acts(before) == ["s3:PutBucketVersioning"]
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


def test_a_bucket_is_made_and_found_in_its_own_region(team: Team) -> None:
    where = ("--state", "s3://far-away-state/x")
    desk = team.desk
    assert desk.run("plan", "--suffix", "new", *where).code == 1
    assert "state init" in desk.run("plan", "--suffix", "new", *where).err

    desk.well("state", "init", "--yes", "--region", "eu-west-1", *where)

    s3 = client(desk.box.endpoint, "s3")
    assert s3.get_bucket_location(Bucket="far-away-state")["LocationConstraint"] == "eu-west-1"
    assert desk.run("state", "pull", "--suffix", "new", *where).code == 1
    assert desk.well("list", *where).out.split() == ["suffix", "account", "region", "resources"]
    s3.delete_bucket(Bucket="far-away-state")


@pytest.mark.parametrize("address", ["s3://", "s3://A", "s3:/b/c", "s3://b_c/d", "s3://bucket/a//b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address") as caught:
        Bucket.at(address, None)

    assert "s3://bucket/prefix" in caught.value.hint
