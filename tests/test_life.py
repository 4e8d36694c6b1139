"""A stack comes up, stays as it is, is mended, and goes without a trace."""

from __future__ import annotations

import re

import pytest

from provisioner.resources import data_sources
from tests.harness import Desk
from tests.inventory import Found, client, inventory
from tests.standing import tags


def beyond(desk: Desk, before: Found) -> list[tuple[str, str]]:
    """What AWS holds beyond what it held before, or no longer as it was."""
    now = inventory(desk.box.endpoint)
    return [
        (type_name, key)
        for type_name in {*now, *before}
        for key in {*now.get(type_name, {}), *before.get(type_name, {})}
        if now.get(type_name, {}).get(key) != before.get(type_name, {}).get(key)
    ]


def test_a_stack_comes_up_and_goes_without_a_trace(desk: Desk) -> None:
    before = inventory(desk.box.endpoint)
    desk.apply("a")
    assert sum(map(len, inventory(desk.box.endpoint).values())) > sum(map(len, before.values())) + 70

    desk.teardown("a")

    assert beyond(desk, before) == []
    assert not desk.ledger("a").exists()


@pytest.mark.slow
def test_a_second_apply_changes_nothing(desk: Desk) -> None:
    desk.apply("a")
    before, mark, ledger = inventory(desk.box.endpoint), desk.mark(), desk.known("a")

    ran = desk.apply("a")

    assert "No changes." in ran.err
    assert desk.tries(mark) == []
    assert inventory(desk.box.endpoint) == before
    assert desk.known("a") == ledger


def test_after_the_ledger_is_lost_all_is_adopted_and_nothing_made(desk: Desk) -> None:
    empty = inventory(desk.box.endpoint)
    desk.apply("a")
    before, mark = inventory(desk.box.endpoint), desk.mark()
    nodes = desk.known("a")["entries"].keys()
    desk.ledger("a").unlink()

    desk.apply("a")

    assert desk.tries(mark) == []
    assert inventory(desk.box.endpoint) == before
    assert desk.known("a")["entries"].keys() == nodes
    desk.teardown("a")
    assert beyond(desk, empty) == []


@pytest.mark.slow
def test_a_stack_whose_ledger_is_lost_can_be_taken_down_at_once(desk: Desk) -> None:
    empty = inventory(desk.box.endpoint)
    desk.apply("a")
    desk.ledger("a").unlink()

    desk.teardown("a")

    assert beyond(desk, empty) == []


@pytest.mark.slow
def test_a_teardown_of_what_is_gone_says_so(desk: Desk) -> None:
    desk.apply("a")
    desk.teardown("a")

    assert desk.run("teardown", "--yes", "--suffix", "a").code == 6


@pytest.mark.slow
def test_what_was_deleted_by_hand_comes_back(desk: Desk) -> None:
    desk.apply("a")
    endpoint = desk.box.endpoint
    before = {type_name: len(held) for type_name, held in inventory(endpoint).items()}
    _delete_by_hand(endpoint)

    planned = desk.plan("a")

    assert planned.count("it was deleted behind our back") == 5
    assert re.search(r"ListenerRule ml-api-rule-\w{4}-a  \(it goes with listener-80, which is made anew\)", planned)
    desk.apply("a")
    assert {type_name: len(held) for type_name, held in inventory(endpoint).items()} == before


def _delete_by_hand(endpoint: str) -> None:
    """One of each sort: a named thing, a part, a thing with an id, one that others hang on."""
    client(endpoint, "logs").delete_log_group(logGroupName="/aws/alb/ml-api-a")
    client(endpoint, "iam").delete_role_policy(RoleName="ml-api-task-role-a", PolicyName="use")
    ec2 = client(endpoint, "ec2")
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    rule = next(one for one in rules if tags(one.get("Tags", [])).get("ml-api:node") == "rule-alb-https")
    ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    elbv2 = client(endpoint, "elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    elbv2.delete_listener(ListenerArn=listener)
    scaling = client(endpoint, "application-autoscaling")
    policy = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    which = ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
    scaling.delete_scaling_policy(**{key: policy[key] for key in which})


@pytest.mark.slow
def test_what_was_changed_by_hand_is_set_right(desk: Desk) -> None:
    desk.apply("a")
    endpoint = desk.box.endpoint
    before = inventory(endpoint)
    client(endpoint, "logs").put_retention_policy(logGroupName="/aws/ecs/ml-api-a", retentionInDays=3)
    elbv2 = client(endpoint, "elbv2")
    group = elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPath="/wrong")
    client(endpoint, "iam").untag_role(RoleName="ml-api-task-role-a", TagKeys=["ManagedBy"])
    planned = desk.plan("a")
    assert "retentionInDays: 3 -> 30" in planned
    assert "HealthCheckPath: /wrong -> /health" in planned
    assert "Tags.ManagedBy: (none) -> ml-api-provisioner" in planned

    desk.apply("a")

    after = inventory(endpoint)
    assert after["log group"] == before["log group"]
    assert after["target group"] == before["target group"]
    assert tags(client(endpoint, "iam").list_role_tags(RoleName="ml-api-task-role-a")["Tags"])["ManagedBy"]


@pytest.mark.slow
def test_a_nat_gateway_per_zone_and_back(desk: Desk) -> None:
    def ways_out() -> dict[str, int]:
        found = inventory(desk.box.endpoint)
        return {type_name: len(found[type_name]) for type_name in ("nat gateway", "address", "route table")}

    empty = ways_out()
    desk.apply("a")
    assert ways_out() == {"nat gateway": 1, "address": 1, "route table": empty["route table"] + 3}

    desk.apply("a", "--set", "network.nat=per_zone")
    assert ways_out() == {"nat gateway": 3, "address": 3, "route table": empty["route table"] + 5}
    ec2 = client(desk.box.endpoint, "ec2")
    nats = ec2.describe_nat_gateways(Filter=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    assert len({nat["SubnetId"] for nat in nats}) == 3

    desk.apply("a")
    assert ways_out() == {"nat gateway": 1, "address": 1, "route table": empty["route table"] + 3}


@pytest.mark.slow
def test_zones_once_chosen_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.apply("a")
    others = ["us-east-1d", "us-east-1e", "us-east-1f"]
    monkeypatch.setattr(data_sources, "_fitting_zones", lambda _clients: others)

    assert desk.plan("a") == "No changes.\n"
    desk.ledger("a").unlink()
    assert "0 to add, 0 to change, 0 to destroy" in desk.plan("a")


def test_a_region_with_too_few_zones_is_refused_with_what_it_has(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_sources, "_fitting_zones", lambda _clients: ["us-east-1a", "us-east-1b"])
    mark = desk.mark()

    ran = desk.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5
    assert "us-east-1a, us-east-1b" in ran.err
    assert "network.zones=2" in ran.err
    assert desk.tries(mark) == []


@pytest.mark.parametrize("version", ["15.4", "99", "99.1", "12"])
def test_a_version_that_cannot_be_created_is_refused_with_those_that_can(desk: Desk, version: str) -> None:
    mark = desk.mark()

    ran = desk.run("apply", "--yes", "--suffix", "a", "--set", f"database.version={version}")

    assert ran.code == 5
    assert version in ran.err
    assert len(re.findall(r"\b\d+\.\d+\b", ran.err)) > 1
    assert desk.tries(mark) == []


@pytest.mark.slow
def test_a_stack_lives_in_the_region_it_was_born_in(desk: Desk) -> None:
    empty = inventory(desk.box.endpoint)
    desk.apply("a", "--region", "eu-west-1")

    assert desk.plan("a") == "No changes.\n"
    zones = client(desk.box.endpoint, "ec2", "eu-west-1").describe_nat_gateways()["NatGateways"]
    assert len(zones) == 1
    there = inventory(desk.box.endpoint)
    assert [
        type_name
        for type_name in ("vpc", "log group", "db cluster", "table", "balancer")
        if there[type_name] != empty[type_name]
    ] == []

    ran = desk.run("apply", "--yes", "--suffix", "a", "--region", "us-east-1")
    assert ran.code == 64
    assert "lives in eu-west-1" in ran.err
    assert "--region us-east-1" in ran.err
