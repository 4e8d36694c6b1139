"""What the state holds and the settings no longer declare is ours until the next apply removes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.account_inventory import client
from tests.support.user import User

NAMED = ("--suffix", "a")
SECOND = ("--set", 'api.services={"second":{"prefixes":["/api/v4/*"]}}')


def drift(user: User, *more: str) -> dict[str, Any]:
    (told,) = user.well("drift", *NAMED, "--json", *more).lines
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
    user: User, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    user.apply("a", *before)

    told = drift(user, *after)
    ran = user.run("drift", *NAMED, "--detailed-exitcode", *after)

    assert [one for one in told["drift"] if one["what"] != "held"] == []
    assert ran.code == 0, ran.out
    assert "by hand" not in ran.out + ran.err
    plan = user.run("plan", *NAMED, "--json", *after)
    deleted = {one["node"] for line in plan.lines for one in line.get("changes", []) if one["action"] == "delete"}
    assert set(told["undeclared"]) == deleted
    for node in deleted:
        assert node in ran.err
    assert ("No longer declared: the next apply removes" in ran.err) is bool(deleted)

    user.apply("a", *after)
    assert drift(user, *after)["undeclared"] == []


def test_a_plan_says_what_data_goes_with_what_is_no_longer_declared(user: User, tmp_path: Path) -> None:
    """Turned off, the records of requests went with a bucket that a plan told only as no longer declared."""
    recorded = ("--set", "logs.requests=true")
    user.apply("a", *recorded)
    page = tmp_path / "plan.md"

    plain = user.well("plan", *NAMED, "--markdown", str(page))
    (record,) = user.well("plan", *NAMED, "--json").lines
    (ending,) = user.well("plan", "--destroy", *NAMED, "--json").lines

    going = {one["node"] for one in record["changes"] if one["action"] == "delete"}
    lost = {one["node"]: one["loses"] for one in ending["changes"] if one["loses"] and one["node"] in going}
    assert lost
    assert {one["node"]: one["loses"] for one in record["changes"] if one["loses"]} == lost
    head, _, told = plain.out.partition("Lost for good:")
    for words in lost.values():
        assert f"  ! {words}" in told
        assert words not in head
        assert f"lost for good: {words}" in page.read_text()
    assert "Lost for good" not in user.well("plan", *NAMED, *recorded).out


def test_a_group_that_bears_our_tags_alone_is_told_with_how_it_came(user: User) -> None:
    user.apply("a")
    ec2 = client(user.box.endpoint, "ec2")
    vpc = next(entry["id"] for entry in user.known("a")["entries"].values() if entry["kind"] == "Vpc")
    tags = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    ours = [{"ResourceType": "security-group", "Tags": [one for one in tags if one["Key"] != "Name"]}]
    ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc, TagSpecifications=ours)

    looks = (drift(user)["drift"] for _ in range(10))  # AWS may hide what is new for half a second
    told = next(one for found in looks for one in found if one["what"] == "extra")

    assert "bears this stack's own tags" in told["remedy"]
    assert json.dumps(told).count("beside ours") == 0


def test_an_apply_that_deletes_still_remembers_the_accounts_own_roles(user: User) -> None:
    def roles() -> set[str]:
        entries = json.loads(user.ledger("a").read_text())["entries"]
        return {name for name, entry in entries.items() if entry["kind"] == "ServiceLinkedRole"}

    user.apply("a", *SECOND)
    before = roles()
    user.apply("a")

    assert before
    assert roles() == before
