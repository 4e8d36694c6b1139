"""The order of the listener's rules: the narrow before the wide, kept, mended, and proven by a deployment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.path_patterns import matches, narrowest_first
from provisioner.settings.api import Api
from provisioner.steps.alb_rules import assign_priorities
from tests.settings.test_path_patterns import PATTERNS
from tests.support.account_inventory import client
from tests.support.user import User

LONG = "/models/" + "m" * 50
SERVICES = {"exact": {"prefixes": ["/predict"]}, "deep": {"prefixes": [f"{LONG}/deep/*"]}}
SETS = (
    "--set",
    f'api.prefixes=["/predict*", "{LONG}/*"]',
    "--set",
    f"api.services={json.dumps(SERVICES)}",
)
MANY = st.lists(PATTERNS, min_size=1, max_size=12, unique=True)


@given(st.lists(MANY, min_size=1, max_size=5))
def test_every_set_of_prefixes_is_asked_in_order_and_free_places_are_taken(sets: list[list[str]]) -> None:
    kept: dict[str, int] = {}
    for prefixes in sets:
        places = assign_priorities(prefixes, kept)
        assert sorted(places, key=lambda one: places[one]) == narrowest_first(prefixes)
        assert all(2 < place < 50_000 for place in places.values())
        moved = {place for prefix, place in places.items() if kept.get(prefix) != place}
        assert not moved & set(kept.values())
        kept = places


def test_a_rule_that_stands_in_order_keeps_its_place() -> None:
    alone = assign_priorities(["/b/*"], {})
    more = assign_priorities(["/b/*", "/b/c/*", "/*"], alone)

    assert more["/b/*"] == alone["/b/*"]
    assert assign_priorities(["/b/*"], more) == alone


def test_only_what_is_out_of_order_moves() -> None:
    former = {"/b/c/*": 10, "/a*": 20, "/a": 30, "/*": 40}

    places = assign_priorities(former, former)

    assert sum(places[one] != former[one] for one in former) == 1
    assert places["/a"] < places["/a*"]


def test_without_a_place_between_two_all_are_placed_anew() -> None:
    kept = {"/aaa": 5, "/a*": 6}

    places = assign_priorities([*kept, "/aa*"], kept)

    assert places["/aaa"] < places["/aa*"] < places["/a*"]


@pytest.mark.parametrize(
    ("prefixes", "told"),
    [
        (
            ("/a**", "/a*"),
            "/a** in api.prefixes can never be reached: every request that it matches goes to /a* (",
        ),
        (("/a?*", "/a", "/a*"), "it matches goes to /a?* (api.prefixes) and /a ("),
        (("/errors/404.html",), "an error page"),
    ],
)
def test_a_prefix_that_can_never_be_reached_is_refused(prefixes: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match="never be reached") as caught:
        Api(prefixes=prefixes)

    assert told in str(caught.value)


def rules(user: User) -> dict[str, dict[str, Any]]:
    """The rules that ask for a path, by that path."""
    elb = client(user.box.endpoint, "elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    found = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    return {one["Conditions"][0]["Values"][0]: one for one in found if not one["IsDefault"]}


def asked(user: User, path: str) -> str:
    """The pattern of the rule that takes a request."""
    order = sorted(rules(user).values(), key=lambda one: int(one["Priority"]))
    patterns = [one["Conditions"][0]["Values"][0] for one in order]
    return next((one for one in patterns if matches(one, path)), "")


def put_last(user: User, *patterns: str) -> None:
    """Put narrow rules behind the wide ones, as a release before this one ordered them."""
    found = rules(user)
    crossed = [{"RuleArn": found[one]["RuleArn"], "Priority": 49_990 + n} for n, one in enumerate(patterns)]
    client(user.box.endpoint, "elbv2").set_rule_priorities(RulePriorities=crossed)


def test_the_narrow_one_gets_its_requests_and_a_deployment_proves_who_answered(user: User) -> None:
    user.apply("order", *SETS)
    assert asked(user, "/predict") == "/predict"
    assert asked(user, f"{LONG}/deep/x") == f"{LONG}/deep/*"
    assert asked(user, "/predicted") == "/predict*"

    ran = user.well("deploy", "--yes", "--suffix", "order", "--image", "main:2", "--json")
    paths = [one["path"] for one in ran.lines if one["type"] == "smoke"]
    # Not `/predict`, which another service answers.
    assert {asked(user, path) for path in paths} == {"/predict*", f"{LONG}/*", ""}

    put_last(user, "/predict", f"{LONG}/deep/*")
    ran = user.run("deploy", "--yes", "--suffix", "order", "--image", "one:2", "--service", "exact")
    assert ran.code == 1, ran.err
    assert "answered by api, not by exact" in ran.err
    assert "rule-never-asked" in user.run("doctor", "--suffix", "order", "--json").out

    before = {one["RuleArn"] for one in rules(user).values()}
    user.apply("order", *SETS)
    assert {one["RuleArn"] for one in rules(user).values()} == before
    assert asked(user, "/predict") == "/predict"
    user.well("restart", "--yes", "--suffix", "order", "--service", "exact")
