"""What the state holds and the settings no longer declare is ours until the next apply removes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness import Desk
from tests.inventory import client

NAMED = ("--suffix", "a")
SECOND = ("--set", 'api.services={"second":{"prefixes":["/api/v4/*"]}}')


def drift(desk: Desk, *more: str) -> dict[str, Any]:
    (told,) = desk.well("drift", *NAMED, "--json", *more).lines
    return told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SECOND, ()),
        (("--set", "network.zones=3"), ("--set", "network.zones=2")),
        (("--set", "encryption.key=own", "--set", "encryption.database=false"), ()),
    ],
    ids=["a service taken out", "a zone fewer", "keys that stay"],
)
def test_what_is_no_longer_declared_is_told_as_that_and_never_as_foreign(
    desk: Desk, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    desk.apply("a", *before)

    told = drift(desk, *after)
    ran = desk.run("drift", *NAMED, "--detailed-exitcode", *after)

    assert [one for one in told["drift"] if one["what"] != "held"] == []
    assert ran.code == 0, ran.out
    assert "by hand" not in ran.out + ran.err
    plan = desk.run("plan", *NAMED, "--json", *after)
    deleted = {
        one["node"] for line in plan.lines for one in line.get("changes", []) if one["action"] == "delete"
    }
    assert set(told["undeclared"]) == deleted
    for node in deleted:
        assert node in ran.err
    assert ("No longer declared: the next apply removes" in ran.err) is bool(deleted)

    desk.apply("a", *after)
    assert drift(desk, *after)["undeclared"] == []


def test_a_group_that_bears_our_tags_alone_is_told_with_how_it_came(desk: Desk) -> None:
    desk.apply("a")
    ec2 = client(desk.box.endpoint, "ec2")
    vpc = next(entry["id"] for entry in desk.known("a")["entries"].values() if entry["kind"] == "Vpc")
    tags = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    ours = [{"ResourceType": "security-group", "Tags": [one for one in tags if one["Key"] != "Name"]}]
    ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc, TagSpecifications=ours)

    looks = (drift(desk)["drift"] for _ in range(10))  # AWS may hide what is new for half a second
    told = next(one for found in looks for one in found if one["what"] == "extra")

    assert "bears this stack's own tags" in told["remedy"]
    assert json.dumps(told).count("beside ours") == 0
