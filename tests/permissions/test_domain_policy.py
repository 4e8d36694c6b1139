"""The rights on somebody's zone, and on what a stack without NAT brings: its own names, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.iam.evaluator import Request, Verdict, verdict
from tests.support.account_inventory import client
from tests.support.hosted_zones import Zone
from tests.support.image_registry import push
from tests.support.user import User

pytestmark = pytest.mark.slow
SUFFIX, ACCOUNT, REGION = "named", "123456789012", "us-east-1"
MORE = (
    *("--set", "profile=seed", "--set", "network.nat=none", "--set", "database.readers=1"),
    *("--set", "database.monitoring=60", "--set", "service.wait_for_database=false"),
    *("--set", f"image={ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ml-api:1"),
)
NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
ACTIONS = "route53:ChangeResourceRecordSetsActions"
Policy = dict[str, Any]


@pytest.fixture(scope="module")
def told(served: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Zone, dict[str, list[Policy]]]:
    """A life of a stack with names in a zone, each command under its own policy alone."""
    user = User.before(served, tmp_path_factory.mktemp("named") / "home")
    served.authorise()
    zone = Zone.of(user)
    ecr = client(served.endpoint, "ecr", REGION)
    ecr.create_repository(repositoryName="ml-api")
    push(ecr, "ml-api", "1")
    sets = (*MORE, *zone.sets())
    asked = ("--suffix", SUFFIX, "--expect-account", ACCOUNT, "--json", *sets)
    given = {
        purpose: list(user.well("policy", "--for", purpose, *asked).lines[0]["policies"])
        for purpose in ("apply", "teardown")
    }
    try:
        for purpose, more in (("apply", sets), ("teardown", ())):
            served.authorise(*given[purpose])
            user.well(purpose, "--yes", "--suffix", SUFFIX, *more)
    finally:
        served.authorise()
    return zone, given


def may(told: tuple[Zone, dict[str, list[Policy]]], action: str, *names: str) -> bool:
    zone, given = told
    context = {NAMES: names, ACTIONS: (action,)}
    change = "route53:ChangeResourceRecordSets"
    asked = Request(change, f"arn:aws:route53:::hostedzone/{zone.id}", context)
    return verdict(given["apply"], asked) is Verdict.ALLOWED


def test_a_stack_with_names_and_without_nat_lives_and_ends_under_its_policies(told: Any) -> None:
    zone, _ = told

    assert all(name.removeprefix("_ml-api.").startswith("_") for name, _ in zone.records())


def test_of_a_zone_the_stacks_names_are_made_and_deleted_and_nothing_else(told: Any) -> None:
    assert may(told, "CREATE", "api.shop.example", "_ml-api.api.shop.example")
    assert may(told, "DELETE", "origin.api.shop.example", "_0a1b.origin.api.shop.example")
    assert not may(told, "UPSERT", "api.shop.example")
    assert not may(told, "CREATE", "shop.example")
    assert not may(told, "DELETE", "www.shop.example")
    assert not may(told, "CREATE", "api.shop.example", "mail.shop.example")
