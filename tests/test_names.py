from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner.errors import UsageError, quoted
from provisioner.names import (
    LONGEST_SUFFIX,
    NAME_RULES,
    check_suffix,
    has_owner,
    has_stack_tags,
    name_of,
    owner_tags,
    tags_of,
)

SUFFIXES = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
# What AWS itself allows, from its API references, not from names.py.
AWS_LIMITS = {
    "alb": 32,
    "tg": 32,
    "aurora": 63,
    "writer": 63,
    "execution-role": 64,
    "task-role": 64,
    "edge": 128,
    "sg-alb": 255,
    "sessions": 255,
    "cluster": 255,
    "service": 255,
    "dbsubnets": 255,
    "vpc": 256,
    "requests": 256,
    "ecs-logs": 512,
    "dbsecret": 512,
}


@pytest.mark.parametrize("noun", NAME_RULES)
def test_every_name_fits_with_the_longest_suffix(noun: str) -> None:
    suffix = "x" * LONGEST_SUFFIX

    name = name_of(noun, suffix, "told apart by this")

    assert suffix in name
    assert len(name) <= AWS_LIMITS.get(noun, NAME_RULES[noun].limit)


@pytest.mark.parametrize(("noun", "limit"), AWS_LIMITS.items())
def test_no_form_promises_more_than_aws_takes(noun: str, limit: int) -> None:
    assert NAME_RULES[noun].limit <= limit


def test_a_name_that_aws_would_refuse_is_refused_here() -> None:
    with pytest.raises(UsageError, match="AWS takes 32"):
        name_of("alb", "x" * 40)


@pytest.mark.parametrize("noun", NAME_RULES)
def test_no_noun_is_another_noun_and_more(noun: str) -> None:
    """`role` of `a-b` would meet `role-a` of `b`; a noun with a shape of its own is told apart by that."""
    alike = [other for other, form in NAME_RULES.items() if form.template == NAME_RULES[noun].template]

    assert [other for other in alike if "{noun}" in NAME_RULES[noun].template and other.startswith(f"{noun}-")] == []


@given(first=SUFFIXES, second=SUFFIXES, nouns=st.tuples(*[st.sampled_from(sorted(NAME_RULES))] * 2))
def test_two_stacks_never_share_a_name(first: str, second: str, nouns: tuple[str, str]) -> None:
    assume(first != second)
    one, two = nouns

    assert name_of(one, first) != name_of(two, second)
    assert name_of(one, first, "a") != name_of(two, second, "b")


@pytest.mark.parametrize("suffix", ["a", "prod", "team-a", "0", "a1-b2-c3", "x" * LONGEST_SUFFIX])
def test_a_good_suffix_is_taken_as_it_is(suffix: str) -> None:
    assert check_suffix(suffix) == suffix


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        ("", "lower-case letters"),
        ("Prod", "lower-case letters"),
        ("-a", "hyphens between"),
        ("a-", "hyphens between"),
        ("a--b", "single hyphens"),
        ("a_b", "lower-case letters"),
        ("a.b", "lower-case letters"),
        ("a b", "lower-case letters"),
        ("a\n", "lower-case letters"),
        ("grün", "lower-case letters"),
        ("*", "lower-case letters"),
        ("x" * (LONGEST_SUFFIX + 1), "17 characters; 16 is the most"),
    ],
)
def test_a_bad_suffix_is_refused_with_the_rule_it_breaks(suffix: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_suffix(suffix)

    assert quoted(suffix) in caught.value.message
    assert reason in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.exit_code == 64


def test_the_shorter_suffix_that_is_proposed_is_a_good_one() -> None:
    with pytest.raises(UsageError) as caught:
        check_suffix("abcdefghijklmno-pq")

    proposed = re.search(r"`(.+)`", caught.value.hint)
    assert proposed
    assert check_suffix(proposed[1]) == "abcdefghijklmno"


def test_what_comes_in_several_carries_four_hex_of_what_tells_it_apart() -> None:
    assert re.fullmatch(r"ml-api-tg-[0-9a-f]{4}-prod", name_of("tg", "prod", "8080"))
    assert name_of("tg", "prod", "8080") == name_of("tg", "prod", "8080")
    assert name_of("tg", "prod", "8080") != name_of("tg", "prod", "9090")


def test_the_groups_that_services_write_to_are_named_after_those_services() -> None:
    assert name_of("aurora-logs", "prod") == f"/aws/rds/cluster/{name_of('aurora', 'prod')}/postgresql"
    assert name_of("insights-logs", "prod") == (f"/aws/ecs/containerinsights/{name_of('cluster', 'prod')}/performance")


def test_our_tags_win_over_the_users_own() -> None:
    tags = tags_of("prod", "eu-west-1", "vpc", "ml-api-vpc-prod", {"Environment": "mine", "Owner": "ada"})

    assert tags == {
        "Owner": "ada",
        "Name": "ml-api-vpc-prod",
        "Project": "ml-api",
        "Environment": "prod",
        "ManagedBy": "ml-api-provisioner",
        "ml-api:region": "eu-west-1",
        "ml-api:node": "vpc",
    }


@pytest.mark.parametrize("other", ["Project", "Environment", "ManagedBy", "ml-api:region"])
def test_a_thing_that_differs_in_one_owners_tag_is_another_stacks(other: str) -> None:
    ours = tags_of("prod", "eu-west-1", "vpc", "ml-api-vpc-prod", {})

    assert has_owner({**ours, "Name": "another", "More": "x"}, ours)
    assert not has_owner({**ours, other: "x"}, ours)
    assert not has_owner({key: value for key, value in ours.items() if key != other}, ours)


@pytest.mark.parametrize("missing", owner_tags("prod"))
def test_a_thing_is_ours_only_with_all_three_tags(missing: str) -> None:
    tags = {**owner_tags("prod"), "Name": "x"}

    assert has_stack_tags(tags, "prod")
    assert not has_stack_tags(tags, "prod-2")
    assert not has_stack_tags({key: value for key, value in tags.items() if key != missing}, "prod")
