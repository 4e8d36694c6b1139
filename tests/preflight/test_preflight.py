"""What is checked before the first call that changes anything."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.model import ShapeResolver

from provisioner.aws.connection import AwsConnection
from provisioner.emulator.local import consistency_window
from provisioner.emulator.patches import quotas as raised
from provisioner.engine.calls.clients import Client, Clients
from provisioner.engine.calls.clock import Clock
from provisioner.engine.planning.change import Action, Change
from provisioner.engine.planning.diff import Difference
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import decide_change
from provisioner.engine.types.resource_type import ResourceType
from provisioner.names import owner_tags
from provisioner.preflight.checks import check_credentials, run_preflight
from provisioner.preflight.domain import check_domain
from provisioner.preflight.parameters import check_parameters, create_call, update_calls
from provisioner.preflight.quotas import check_quotas
from provisioner.preflight.shapes import UNKNOWN, shape_violations
from provisioner.preflight.subnet_overlaps import check_cidr_blocks
from provisioner.resources.tags import pairs
from provisioner.service_clients import CloudFront
from provisioner.settings.profiles import PROFILES
from state.stack_state import Intent, ResourceState
from tests.prices.test_prices import declared
from tests.support.account_inventory import client
from tests.support.user import User


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """A way to AWS that is never gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        yield Clients(AwsConnection("us-east-1"), Clock())


def altered(plan: Plan, name: str, **props: Any) -> Plan:
    """A plan with some properties of one node otherwise."""
    resource = plan.stack.resources[name]
    plan.stack.resources[name] = replace(resource, props={**resource.props, **props})
    return plan


@pytest.mark.parametrize("profile", list(PROFILES))
def test_every_create_of_a_whole_stack_is_caught_and_fits_the_model(profile: str, clients: Clients) -> None:
    plan = declared(profile=profile)

    calls = {resource.logical_id: create_call(plan, resource) for resource in plan.stack}
    # What these call depends on what they read; nothing of it is chosen.
    by_what_is_read = {"default-group-ingress", "default-group-egress"}
    assert {name for name, call in calls.items() if call is None} <= by_what_is_read
    assert [name for name, call in calls.items() if call and call.operation.startswith(READS)] == []
    assert list(check_parameters(plan, clients)) == []


def test_a_parameter_that_does_not_fit_is_named_with_its_path(clients: Clients) -> None:
    plan = declared()
    altered(plan, "task-role", RoleName="no such name!")
    altered(plan, "tg", HealthCheckIntervalSeconds="often")
    altered(plan, "alb", Scheme="sideways", Colour="red")
    altered(plan, "ecs-logs-retention", retentionInDays=None)

    found = {f"{one.address}: {one.problem}": one.is_blocking for one in check_parameters(plan, clients)}

    assert {key: blocks for key, blocks in found.items() if "iam/task-role:" in key} == {
        r"iam/task-role: create_role: RoleName 'no such name!' does not fit [\w+=,.@-]+": True
    }
    assert found["alb/tg: create_target_group: HealthCheckIntervalSeconds 'often' is no number"]
    assert found["alb/alb: create_load_balancer: Colour is not known to AWS"]
    assert not found["alb/alb: create_load_balancer: Scheme 'sideways' is none of internet-facing, internal"]


def changed(plan: Plan, *names: str, **tags: str) -> Plan:
    """A plan that changes all that can change in place of these nodes."""
    for name in names:
        resource = plan.stack.resources[name]
        same = resource.type.immutable | resource.type.write_only | resource.type.field_owners.keys()
        can = type(resource.type).update is not ResourceType.update
        tops = [key for key in resource.props if key not in same and can]
        found = [Difference(key, "old", resource.props[key]) for key in tops]
        found += [Difference(f"Tags.{key}", None, value) for key, value in tags.items() if resource.type.tagged]
        verb: Action = "update" if found else "keep"
        plan.changes[name] = replace(plan.changes[name], action=verb, differences=tuple(found))
    return plan


@pytest.mark.parametrize("profile", list(PROFILES))
def test_every_update_of_a_whole_stack_is_caught_and_fits_the_model(profile: str, clients: Clients) -> None:
    plan = declared(profile=profile)
    changed(plan, *plan.stack.resources, Team="ml")

    verbs = {name: change.action for name, change in plan.changes.items()}
    calls = {name: update_calls(plan, plan.stack.resources[name]) for name in verbs if verbs[name] == "update"}
    assert sum(call is not None for each in calls.values() for call in each) > 60
    replacing = {name for name in calls if plan.stack.resources[name].type.replacing_calls}
    assert {name for name in replacing if calls[name][0] is None} == set()
    assert list(check_parameters(plan, clients)) == []


def test_an_update_or_a_tag_that_does_not_fit_is_named_before_it_is_sent(clients: Clients) -> None:
    plan = changed(declared(), "tg", "task-role", Team="x" * 300)
    altered(plan, "tg", HealthCheckIntervalSeconds="often")

    for name in plan.stack.resources.keys() - {"tg", "task-role"}:
        plan.changes[name] = replace(plan.changes[name], action="keep")

    found = {f"{one.address}: {one.problem}" for one in run_preflight(plan, clients, 0)}

    assert "alb/tg: modify_target_group: HealthCheckIntervalSeconds 'often' is no number" in found
    assert "iam/task-role: tag_role: Tags.0.Value has 300 characters; 256 is the most" in found


READS = ("describe_", "get_", "list_")
SHAPES = ShapeResolver(
    {
        "S": {
            "type": "structure",
            "required": ["Name"],
            "members": {
                "Name": {"shape": "N"},
                "Tags": {"shape": "L"},
                "Map": {"shape": "M"},
                "Odd": {"shape": "P"},
                "On": {"shape": "B"},
            },
        },
        "N": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z]+"},
        "P": {"type": "string", "pattern": r"\p{L}+"},
        "L": {"type": "list", "member": {"shape": "N"}, "max": 2},
        "M": {"type": "map", "key": {"shape": "N"}, "value": {"shape": "I"}},
        "I": {"type": "integer", "min": 1, "max": 9},
        "B": {"type": "boolean"},
    }
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"Name": "abc"}, []),
        ({}, ["Name is missing"]),
        ({"Name": "a"}, ["Name has 1 characters; 2 is the least"]),
        ({"Name": "abcde"}, ["Name has 5 characters; 4 is the most"]),
        ({"Name": "AB"}, ["Name 'AB' does not fit [a-z]+"]),
        ({"Name": 7}, ["Name 7 is no text"]),
        ({"Name": UNKNOWN}, []),
        ({"Name": f"x{UNKNOWN}-and-much-more"}, []),
        (
            {"Name": "ab", "Tags": ["ab", "ab", "A"]},
            [
                "Tags has 3 members; 2 is the most",
                "Tags.2 has 1 characters; 2 is the least",
                "Tags.2 'A' does not fit [a-z]+",
            ],
        ),
        ({"Name": "ab", "Tags": "ab"}, ["Tags 'ab' is no list"]),
        ({"Name": "ab", "Map": {"ab": 10}}, ["Map.ab is 10; 9 is the most"]),
        ({"Name": "ab", "Map": {"ab": True}}, ["Map.ab True is no number"]),
        ({"Name": "ab", "On": "yes"}, ["On 'yes' is neither true nor false"]),
        ({"Name": "ab", "Odd": "pattern unknown to re"}, []),
        ({"Name": "ab", "Else": 1}, ["Else is not known to AWS"]),
    ],
)
def test_a_value_is_held_against_its_shape(value: Any, told: list[str]) -> None:
    shape = SHAPES.get_shape_by_name("S")

    assert [f"{one.path} {one.description}" for one in shape_violations(shape, value)] == told


def test_subnets_outside_their_network_or_over_another_are_found(clients: Clients) -> None:
    plan = declared()
    altered(plan, "public-1", CidrBlock="10.1.0.0/24")
    altered(plan, "private-1", CidrBlock="10.0.1.0/25")

    told = [f"{one.address}: {one.problem}" for one in check_cidr_blocks(plan, clients)]

    assert told == [
        "vpc/public-1: 10.1.0.0/24 does not lie in 10.0.0.0/16",
        "vpc/private-1: 10.0.1.0/25 overlaps 10.0.1.0/24 of public-2",
    ]


class Crowded:
    """A network in which one subnet stands, with some tags."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self.tags = pairs(tags)

    def client(self, *_: str) -> Crowded:
        return self

    def describe_subnets(self, **_: Any) -> dict[str, Any]:
        return {"Subnets": [{"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/24", "Tags": self.tags}]}


def test_one_of_ours_that_has_just_come_out_of_hiding_is_nobody_elses() -> None:
    plan = declared()
    plan.actual["vpc"] = {"id": "vpc-1"}

    assert list(check_cidr_blocks(plan, Crowded(owner_tags("a")))) == []  # type: ignore[arg-type]
    (found,) = check_cidr_blocks(plan, Crowded(owner_tags("b")))  # type: ignore[arg-type]
    assert found.problem == "10.0.0.0/24 overlaps 10.0.0.0/24 of subnet-1 in AWS"


def test_credentials_that_end_before_the_run_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=20)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_SESSION_TOKEN": "c",
        "AWS_CREDENTIAL_EXPIRATION": end.isoformat(),
    }.items():
        monkeypatch.setenv(name, value)
    short = Clients(AwsConnection("us-east-1"), Clock())

    assert check_credentials(short, 60) == []
    (found,) = check_credentials(short, 3600)
    assert found.problem == "they end in 20 min; this takes about 60 min"
    assert found.is_blocking


def test_credentials_that_do_not_end_are_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    assert check_credentials(Clients(AwsConnection("us-east-1"), Clock()), 3600) == []


class Empty:
    """A region in which nothing stands, with a limit of 60 on everything."""

    def client(self, *_: str) -> Empty:
        return self

    def __getattr__(self, operation: str) -> Any:
        quota: Any = {"Quota": {"Value": 60.0}}
        return lambda **_: quota if "quota" in operation else collections.defaultdict(list)


def test_a_prefix_list_counts_as_all_its_entries() -> None:
    plan = declared()
    altered(plan, "rule-alb-http", PrefixListId="pl-1")
    assert list(check_quotas(plan, Empty())) == []  # type: ignore[arg-type]

    altered(plan, "rule-alb-https", PrefixListId="pl-1")
    (found,) = check_quotas(plan, Empty())  # type: ignore[arg-type]

    assert found.problem == "rules per security group, in (sg-alb): limit 60, 0 used, 110 more needed"
    assert found.is_blocking


def test_processors_are_counted_by_where_the_tasks_begin() -> None:
    service = {"minimum": 40, "maximum": 40, "fargate_base": 10, "fargate_weight": 1, "spot_weight": 2}
    plan = declared(service=service, container={"cpu": 4096, "memory": 8192})

    found = [one.problem for one in check_quotas(plan, Empty())]  # type: ignore[arg-type]

    assert found == [
        "Fargate processors of ours: limit 60, 0 used, 80 more needed",
        "Fargate Spot processors of ours: limit 60, 0 used, 80 more needed",
    ]


def test_tasks_that_come_beside_those_that_run_are_counted() -> None:
    plan = declared(service={"minimum": 2, "maximum": 90}, container={"cpu": 4096, "memory": 8192})
    plan.changes = {name: replace(change, action="keep") for name, change in plan.changes.items()}
    plan.actual |= {"service": {"desiredCount": 20}, "task": {"cpu": "1024"}}
    assert list(check_quotas(plan, Empty())) == []  # type: ignore[arg-type]

    again = (Difference("taskDefinition", "one", "another"),)
    plan.changes["service"] = replace(plan.changes["service"], action="update", differences=again)
    found = [one.problem for one in check_quotas(plan, Empty())]  # type: ignore[arg-type]

    # Of 20 tasks two are the base, and of 18 others 30 % are not on Spot.
    assert found == ["Fargate Spot processors of ours: limit 60, 12.6 used, 50.4 more needed"]


def test_a_higher_least_number_of_tasks_is_counted() -> None:
    plan = declared(service={"minimum": 90, "maximum": 90, "spot_weight": 0})
    plan.changes = {name: replace(change, action="keep") for name, change in plan.changes.items()}
    plan.actual |= {"service": {"desiredCount": 3}, "task": {"cpu": "1024"}}

    (found,) = check_quotas(plan, Empty())  # type: ignore[arg-type]

    assert found.problem == "Fargate processors of ours: limit 60, 3 used, 87 more needed"


def test_what_an_earlier_run_began_is_not_counted_twice() -> None:
    plan = declared()
    altered(plan, "rule-alb-https", PrefixListId="pl-1")
    altered(plan, "rule-alb-http", PrefixListId="pl-1")
    change = plan.changes["rule-alb-http"]
    intent = Intent(action="create", token="0" * 32, started_at=0.0)
    begun = ResourceState(type_name=change.type_name, aws_name="", step="security", intent=intent)
    resource = plan.stack.resources["rule-alb-http"]

    plan.changes["rule-alb-http"] = decide_change(resource, begun, None, {})

    assert list(check_quotas(plan, Empty())) == []  # type: ignore[arg-type]


@contextmanager
def networks(user: User, count: int) -> Iterator[None]:
    """So many more VPCs in the region, of somebody else."""
    ec2 = client(user.box.endpoint, "ec2")
    for _ in range(count):
        ec2.create_vpc(CidrBlock="10.9.0.0/16")
    user.box.advance(consistency_window(0.0) + 0.1)  # what is new hides from reads for so long
    yield


def test_a_limit_that_would_be_broken_blocks_and_says_what_to_type(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(raised.GRANTED, "L-F678F1CE", 5.0)
    with networks(user, 4):
        mark = user.mark()
        shown = user.well("plan", "--suffix", "a")
        ran = user.run("apply", "--yes", "--suffix", "a")

    assert "! vpc/vpc: VPCs per region: limit 5, 5 used, 1 more needed" in shown.out
    assert ran.code == 5
    assert "--service-code vpc --quota-code L-F678F1CE --desired-value 6" in ran.err
    assert "--skip-preflight" in ran.err
    assert user.tries(mark) == []
    assert user.run("apply", "--yes", "--suffix", "a", "--skip-preflight").code == 0


class Serving:
    """CloudFront, where one distribution of somebody's serves a name, and ours serves it already or not."""

    def __init__(self, comment: str) -> None:
        self.comment = comment

    def client(self, service: type[Client], region: str = "") -> Serving:
        assert (service, region) == (CloudFront, "")
        return self

    def list_distributions(self) -> dict[str, Any]:
        one = {"Id": "EOLD", "Comment": self.comment, "Aliases": {"Items": ["api.shop.example", "x.example"]}}
        return {"DistributionList": {"Items": [one]}}


def test_a_name_that_another_distribution_serves_is_told_with_the_way_out() -> None:
    plan = declared(domain={"names": ["api.shop.example"]})
    ours = plan.stack.resources["edge"].props["Comment"]

    [found] = check_domain(plan, Serving("the old site"))  # type: ignore[arg-type]

    assert found.problem == "api.shop.example is served by the distribution EOLD (the old site)"
    assert "aws cloudfront associate-alias" in found.hint
    assert found.is_blocking
    assert list(check_domain(plan, Serving(ours))) == []  # type: ignore[arg-type]


def losing_a_reader(writer: str) -> Plan:
    """A plan that does nothing but end the second instance of a database, of which one writes."""
    plan = declared()
    members = [{"DBInstanceIdentifier": one, "IsClusterWriter": one == writer} for one in ("first", "second")]
    plan.actual["aurora"] = {"DBClusterIdentifier": "db", "DBClusterMembers": members}
    gone = Change("delete", "reader-1", "DBInstance", "second", "aurora", "second")
    plan.changes = {"reader-1": gone}
    return plan


def test_the_end_of_a_reader_that_became_the_writer_is_told_before_it() -> None:
    [found] = run_preflight(losing_a_reader("second"), None, 0)  # type: ignore[arg-type]

    assert "second is the writer since a failover" in found.problem
    assert "--db-cluster-identifier db --target-db-instance-identifier first" in found.hint
    assert not found.is_blocking
    assert run_preflight(losing_a_reader("first"), None, 0) == []  # type: ignore[arg-type]


def test_nothing_is_asked_where_nothing_is_made() -> None:
    assert run_preflight(Plan(declared().stack, declared().state), None, 0) == []  # type: ignore[arg-type]
