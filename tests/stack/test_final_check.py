"""The final check of a teardown: nothing that was planted escapes it, and it asks for each thing once."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from provisioner.resources import RESOURCE_TYPES
from tests.support.account_inventory import client, inventory
from tests.support.user import User

PRODUCTION = ("--set", "profile=production", "--region", "eu-west-1")
SETTINGS = [
    pytest.param((), id="seed"),
    pytest.param(PRODUCTION, id="production", marks=pytest.mark.slow),
]


def entries(user: User) -> dict[str, dict[str, Any]]:
    """What the state holds of the stack, without the roles of the account."""
    held = user.known("a")["entries"]
    return {name: entry for name, entry in held.items() if not RESOURCE_TYPES[entry["kind"]].account_wide}


def found(user: User) -> set[str]:
    """The ids that `verify-gone` finds; it must find some."""
    ran = user.run("verify-gone", "--suffix", "a")
    assert ran.code == 11, ran.err
    lines = (line.strip().split(": ")[0] for line in ran.err.splitlines() if line.startswith("  "))
    return {line.partition(" ")[2] for line in lines}


def remember_as_deleted(user: User) -> None:
    """Write the state as if every resource had been deleted, and none of them was."""
    document = user.known("a")
    document["tombstones"] = [
        {key: entry[key] for key in ("kind", "name", "id", "region", "wanted")} | {"node": name, "at": 0.0}
        for name, entry in entries(user).items()
    ]
    document["entries"] = {}
    user.ledger("a").write_text(json.dumps(document))


def untag_everything_in_ec2(user: User, region: str) -> None:
    """Take all tags away: what AWS knows by an id alone can then be found by that id alone."""
    ec2 = client(user.box.endpoint, "ec2", region)
    for tagged in ec2.describe_tags()["Tags"]:
        ec2.delete_tags(Resources=[tagged["ResourceId"]], Tags=[{"Key": tagged["Key"]}])


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_id_that_was_ever_held_is_found_without_its_tags(user: User, settings: tuple[str, ...]) -> None:
    user.well("apply", "--yes", "--suffix", "a", *settings)
    ids = {entry["id"] for entry in entries(user).values() if not RESOURCE_TYPES[entry["kind"]].deleted_with_parent}
    remember_as_deleted(user)
    untag_everything_in_ec2(user, "eu-west-1" if settings else "us-east-1")

    assert ids - found(user) == set()


@pytest.mark.parametrize("settings", SETTINGS)
def test_each_name_and_tag_is_found_without_a_state(user: User, settings: tuple[str, ...]) -> None:
    user.well("apply", "--yes", "--suffix", "a", *settings)
    ids = {entry["id"] for entry in entries(user).values()}
    user.ledger("a").unlink()
    region = ("--region", "eu-west-1") if settings else ()

    ran = user.run("verify-gone", "--suffix", "a", *region)

    assert ran.code == 11, ran.err
    assert [id_ for id_ in sorted(ids) if id_ not in ran.err] == []


def test_a_teardown_asks_for_each_thing_once(user: User) -> None:
    before = inventory(user.box.endpoint)
    user.well("apply", "--yes", "--suffix", "a")
    mark = user.mark()

    user.teardown("a")

    called = user.box.calls(mark)
    operations = Counter(f"{call['service']}:{call['operation']}" for call in called)
    marks = operations["iam:TagRole"] + operations["iam:GetRole"]  # as often as a minute of the mark passes
    assert len(called) - marks <= 290
    assert operations["elbv2:DeleteRule"] == operations["elbv2:DeleteListener"] == 0  # they go with the balancer
    assert operations["ec2:RevokeSecurityGroupIngress"] == 0  # they go with their groups
    assert operations["ec2:RevokeSecurityGroupEgress"] == 2  # each lets one of two groups go that name each other
    last_change = max(call["n"] for call in called if call["mutating"])
    assert sum(call["n"] > last_change for call in called) <= 92
    assert inventory(user.box.endpoint) == before
