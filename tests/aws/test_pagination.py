"""Every list is read to its last page: by the product, and by the emulator when it asks itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from provisioner.aws.connection import AwsConnection
from provisioner.emulator import paging
from provisioner.emulator.local import running_emulator
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock
from provisioner.pagination import config_of, paginator
from provisioner.service_clients import WAFV2
from tests.support.account_inventory import client, inventory
from tests.support.user import ROOT, User

SERVICES = sorted({service for service, _ in paging.SIZES} | {"wafv2", "ssm", "backup", "ecr", "service-quotas"})
PASSES_BY = {"describe_tags"}


def model(service: str, operation: str) -> Any:
    return botocore.session.Session().get_service_model(service).operation_model(operation)


@pytest.mark.parametrize(
    ("service", "operation", "lists", "token"),
    [
        ("cloudfront", "ListVpcOrigins", ["VpcOriginList.Items"], "VpcOriginList.NextMarker"),
        ("wafv2", "ListWebACLs", ["WebACLs"], "NextMarker"),
        ("wafv2", "ListTagsForResource", ["TagInfoForResource.TagList"], "NextMarker"),
        ("ecs", "ListServiceDeployments", ["serviceDeployments"], "nextToken"),
    ],
)
def test_pages_that_botocore_does_not_know_of_are_told_by_the_model(
    service: str, operation: str, lists: list[str], token: str
) -> None:
    config = config_of(model(service, operation))

    assert config
    assert (config["result_key"], config["output_token"]) == (lists, token)


@pytest.mark.parametrize(
    ("service", "operation"),
    [("sts", "GetCallerIdentity"), ("ecs", "DescribeTasks"), ("logs", "GetLogEvents"), ("s3", "HeadBucket")],
)
def test_what_has_no_pages_is_asked_once(service: str, operation: str) -> None:
    assert config_of(model(service, operation)) is None


def test_all_pages_are_asked_for_and_joined() -> None:
    pages = {None: ("a", "t1"), "t1": ("", "t2"), "t2": ("b", None)}
    asked: list[str | None] = []

    def page(Marker: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803 - as CloudFront has it
        asked.append(Marker)
        name, more = pages[Marker]
        items = {"Items": [{"Id": name}]} if name else {}
        return {"VpcOriginList": {"IsTruncated": bool(more), **items, **({"NextMarker": more} if more else {})}}

    read = paginator(page, model("cloudfront", "ListVpcOrigins"))

    assert read
    assert read.paginate().build_full_result() == {"VpcOriginList": {"Items": [{"Id": "a"}, {"Id": "b"}]}}
    assert asked == [None, "t1", "t2"]


def reads_of_the_product() -> set[str]:
    """Every read that stands in the product's source, by the name of its client's method."""
    texts = [path.read_text() for path in Path(ROOT, "provisioner").rglob("*.py") if "emulator" not in path.parts]
    return {name for text in texts for name in re.findall(r"\b((?:describe|list|get)_[a-z0-9_]+)\b", text)}


def test_no_read_of_the_product_has_pages_that_nobody_turns() -> None:
    """Whatever takes a token of a next page and tells one is read by pages."""
    missed = []
    wanted = reads_of_the_product()
    for service in SERVICES:
        known = botocore.session.Session().get_service_model(service)
        for operation in known.operation_names:
            shape = known.operation_model(operation)
            if xform_name(operation) not in wanted or shape.output_shape is None:
                continue
            levels = [shape.output_shape, *shape.output_shape.members.values()]
            members = {name for level in levels for name in getattr(level, "members", {})}
            if members & {"NextToken", "nextToken", "NextMarker"} and config_of(shape) is None:
                missed.append(f"{service}:{operation}")
    assert missed == []


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries a page, in every list."""
    monkeypatch.setattr(paging.switch, "most", 2)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["seed", "production"])
def test_a_whole_life_on_lists_of_two_a_page(user: User, tiny: None, profile: str) -> None:
    empty = inventory(user.box.endpoint)
    settings = ("--set", f"profile={profile}", "--set", "edge.vpc_origin=true")

    user.apply("a", *settings)
    assert "No drift" in user.well("drift", "--suffix", "a", *settings).out
    user.teardown("a", "--unprotect")

    assert "Verified empty" in user.well("verify-gone", "--suffix", "a").out
    left = {type_name: found for type_name, found in inventory(user.box.endpoint).items() if found != empty[type_name]}
    assert set(left) <= {"db snapshot", "kms key", "log group"}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_the_emulator_hands_a_list_out_page_by_page(user: User, tiny: None, count: int) -> None:
    sns = client(user.box.endpoint, "sns")
    for n in range(count):
        sns.create_topic(Name=f"t{n}")

    first = sns.list_topics()
    every = sns.get_paginator("list_topics").paginate().build_full_result()["Topics"]

    assert len(first["Topics"]) == min(count, 2)
    assert ("NextToken" in first) == (count > 2)
    assert sorted(one["TopicArn"].rpartition(":")[2] for one in every) == [f"t{n}" for n in range(count)]


def test_a_page_is_as_large_as_was_asked_for_and_at_most_as_aws_makes_it(user: User) -> None:
    scaling = client(user.box.endpoint, "ecs")
    for n in range(12):
        scaling.register_task_definition(
            family=f"f{n:02}", containerDefinitions=[{"name": "a", "image": "a", "memory": 64}]
        )

    listed = scaling.list_task_definition_families(maxResults=5)
    rest = scaling.list_task_definition_families(maxResults=5, nextToken=listed["nextToken"])

    assert listed["families"] + rest["families"] == [f"f{n:02}" for n in range(10)]


@pytest.mark.parametrize("asked", [{}, {"ResourcesPerPage": 20}, {"ResourcesPerPage": 100}])
def test_the_index_of_tags_is_read_past_its_first_page(user: User, asked: dict[str, int]) -> None:
    sns, index = client(user.box.endpoint, "sns"), client(user.box.endpoint, "resourcegroupstaggingapi")
    for n in range(60):
        sns.create_topic(Name=f"t{n}", Tags=[{"Key": "k", "Value": "v"}])

    told = index.get_paginator("get_resources").paginate(TagFilters=[{"Key": "k"}], **asked)

    assert len({one["ResourceARN"] for one in told.build_full_result()["ResourceTagMappingList"]}) == 60


@pytest.mark.parametrize("operation", sorted(paging.SIZES))
def test_every_operation_of_the_table_has_pages(operation: tuple[str, str]) -> None:
    assert config_of(model(*operation))


@pytest.mark.slow
def test_a_stack_of_fifty_services_and_97_prefixes_ends(user: User) -> None:
    said = {f"s{n}": {"prefixes": [f"/a{n}/*", f"/b{n}/*"][: 1 + (n < 45)], "minimum": 1} for n in range(50)}
    many = ("--set", f"api.services={json.dumps(said)}")

    user.apply("a", *many)
    assert "No drift" in user.well("drift", "--suffix", "a", *many).out
    user.teardown("a")

    assert "Verified empty" in user.well("verify-gone", "--suffix", "a").out


def test_the_clients_of_a_run_read_whole_lists(user: User, tiny: None) -> None:
    waf = client(user.box.endpoint, "wafv2")
    for n in range(5):
        visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
        waf.create_web_acl(Name=f"w{n}", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=visible)
    emulator = running_emulator(user.home / "embedded" / "server")

    mine = Clients(AwsConnection("us-east-1", emulator), Clock()).client(WAFV2)

    assert {one["Name"] for one in mine.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]} == {f"w{n}" for n in range(5)}
