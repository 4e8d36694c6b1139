from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provisioner.configuration import load_settings
from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.errors import UsageError, quoted
from provisioner.names import (
    LONGEST_SUFFIX,
    NAME_TEMPLATES,
    check_suffix,
    has_owner,
    has_stack_tags,
    name_of,
    owner_tags,
    tags_of,
)
from provisioner.permissions import pipeline
from provisioner.resources import RESOURCE_TYPES
from provisioner.resources.iam import Role
from provisioner.settings.variants import teardown_variants
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups
from tests.permissions.test_policies import STRONGEST

SUFFIXES = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
# What AWS itself allows, from its API references, not from names.py.
AWS_LIMITS = {
    "Bucket": 63,
    "DBCluster": 63,
    "DBInstance": 63,
    "Distribution": 128,
    "LoadBalancer": 32,
    "LogGroup": 512,
    "Role": 64,
    "Secret": 512,
    "TargetGroup": 32,
    "Topic": 256,
    "WebACL": 128,
}


@cache
def declared_resources(suffix: str) -> list[Resource]:
    """All resources that some settings declare, with the suffix in their names."""
    return [
        resource
        for settings in teardown_variants(load_settings(None, STRONGEST, {}))
        for resource in build(
            settings, suffix, "eu-west-1", offline_lookups(settings.network.zones, settings.database.version)
        )
    ]


@cache
def nouns() -> set[str]:
    """Each noun in a name: of the declared resources, and of what commands create by themselves."""
    names = (re.fullmatch(r"ml-api-(.+?)(-[0-9a-f]{4})?-zz", each.aws_name) for each in declared_resources("zz"))
    return {name[1] for name in names if name} | NAME_TEMPLATES.keys() | set(pipeline.ROLES)


def test_every_name_fits_with_the_longest_suffix() -> None:
    suffix = "x" * LONGEST_SUFFIX

    named = [resource for resource in declared_resources(suffix) if resource.aws_name]

    assert {str(resource.type) for resource in named} >= AWS_LIMITS.keys()
    for resource in named:
        assert suffix in resource.aws_name
        assert len(resource.aws_name) <= AWS_LIMITS.get(str(resource.type), 255)


@pytest.mark.parametrize(("type_name", "limit"), AWS_LIMITS.items())
def test_no_type_promises_more_than_aws_takes(type_name: str, limit: int) -> None:
    assert RESOURCE_TYPES[type_name].max_name_length <= limit


def test_a_name_that_aws_would_refuse_is_refused_here() -> None:
    with pytest.raises(UsageError, match="AWS takes 32"):
        name_of("alb", "x" * 40, limit=32)
    with pytest.raises(UsageError, match="AWS takes 64 for a uncommonly"):
        Stack("x" * LONGEST_SUFFIX, "eu-west-1").step("iam")(
            Role, "role", noun="uncommonly-long-noun-of-many-words-and-more"
        )


def test_no_noun_is_another_noun_and_more() -> None:
    """`role` of `a-b` would meet `role-a` of `b`; a noun with a template of its own is distinct by that."""
    usual = nouns() - NAME_TEMPLATES.keys()

    assert len(usual) > 40
    assert [(noun, other) for noun in usual for other in usual if other.startswith(f"{noun}-")] == []


@given(first=SUFFIXES, second=SUFFIXES, data=st.data())
def test_two_stacks_never_share_a_name(first: str, second: str, data: st.DataObject) -> None:
    assume(first != second)
    one, two = data.draw(st.tuples(*[st.sampled_from(sorted(nouns()))] * 2))

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
