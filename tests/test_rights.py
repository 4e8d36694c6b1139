"""With exactly the policies that are printed a stack lives and ends; with less it says what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.embedded import reference
from provisioner.embedded.policies import Request, Verdict, verdict
from provisioner.rights.statements import MANAGED_LIMIT, size
from tests.harness import Desk

SUFFIX, ACCOUNT = "prod", "123456789012"
FULL = ("--set", "profile=production")
Policy = dict[str, Any]


def policies(desk: Desk, purpose: str, *more: str) -> list[Policy]:
    """What `policy` prints."""
    asked = ("--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json", *(more or FULL))
    return list(desk.well("policy", "--for", purpose, *asked).lines[0]["policies"])


@dataclass
class Lived:
    """What a stack asked of IAM in its life, by command, each command under its own policy alone."""

    given: dict[str, list[Policy]]
    asked: dict[str, list[Request]]


@pytest.fixture(scope="module")
def lived(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    desk = Desk.before(served, tmp_path_factory.mktemp("rights") / "home")
    purposes = ("apply", "plan", "status", "teardown")
    given = {one: policies(desk, one) for one in purposes}
    asked: dict[str, list[Request]] = {}
    try:
        for purpose in purposes:
            served.authorise(*given[purpose])
            more = FULL if purpose in ("apply", "plan") else ()
            yes = {"apply": ("--yes",), "teardown": ("--yes", "--unprotect")}.get(purpose, ())
            ran = desk.well(purpose, "--suffix", SUFFIX, *yes, *more)
            assert purpose != "plan" or ran.out == "No changes.\n"
            asked[purpose] = list(served.box.authoriser.asked)
        yield Lived(given, asked)
    finally:
        served.authorise()


def test_with_exactly_its_policy_each_command_goes_well(lived: Lived) -> None:
    for purpose, asked in lived.asked.items():
        assert all(verdict(lived.given[purpose], one) is Verdict.ALLOWED for one in asked)
        assert len(asked) > 50


def test_who_may_plan_can_change_nothing_that_an_apply_or_a_teardown_changes(lived: Lived) -> None:
    changes = [
        one
        for purpose in ("apply", "teardown")
        for one in lived.asked[purpose]
        if not reference.known(one.action).reads
    ]

    assert len(changes) > 100
    assert {one.action for one in changes if verdict(lived.given["plan"], one) is Verdict.ALLOWED} == set()
    assert {one.action for one in changes if verdict(lived.given["status"], one) is Verdict.ALLOWED} == set()


def test_each_policy_fits_iam_and_says_who_needs_each_statement(lived: Lived) -> None:
    for given in lived.given.values():
        for policy in given:
            assert size(policy) <= MANAGED_LIMIT
            sids = [one["Sid"] for one in policy["Statement"]]
            assert len(set(sids)) == len(sids)
            assert all(sid.isalnum() for sid in sids)
    words = json.dumps(lived.given["apply"])
    assert all(kind in words for kind in ("NatGateway", "DBCluster", "Distribution", "RolePolicy"))
