"""A stack comes up, stays as it is, is mended, and goes without a trace."""

from __future__ import annotations

import re

import pytest

from provisioner.resources import data_sources
from tests.support.account_inventory import Found, client, inventory
from tests.support.live_stack import tags
from tests.support.user import User


def beyond(user: User, before: Found) -> list[tuple[str, str]]:
    """What AWS holds beyond what it held before, or no longer as it was."""
    now = inventory(user.box.endpoint)
    return [
        (type_name, key)
        for type_name in {*now, *before}
        for key in {*now.get(type_name, {}), *before.get(type_name, {})}
        if now.get(type_name, {}).get(key) != before.get(type_name, {}).get(key)
    ]


def test_a_stack_comes_up_and_goes_without_a_trace(user: User) -> None:
    before = inventory(user.box.endpoint)
    user.apply("a")
    assert sum(map(len, inventory(user.box.endpoint).values())) > sum(map(len, before.values())) + 70

    user.teardown("a")

    assert beyond(user, before) == []
    assert not user.ledger("a").exists()


@pytest.mark.slow
def test_a_second_apply_changes_nothing(user: User) -> None:
    user.apply("a")
    before, mark, ledger = inventory(user.box.endpoint), user.mark(), user.known("a")

    ran = user.apply("a")

    assert "No changes." in ran.err
    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before
    assert user.known("a") == ledger


def test_after_the_ledger_is_lost_all_is_adopted_and_nothing_made(user: User) -> None:
    empty = inventory(user.box.endpoint)
    user.apply("a")
    before, mark = inventory(user.box.endpoint), user.mark()
    nodes = user.known("a")["entries"].keys()
    user.ledger("a").unlink()

    user.apply("a")

    assert user.tries(mark) == []
    assert inventory(user.box.endpoint) == before
    assert user.known("a")["entries"].keys() == nodes
    user.teardown("a")
    assert beyond(user, empty) == []


@pytest.mark.slow
def test_a_stack_whose_ledger_is_lost_can_be_taken_down_at_once(user: User) -> None:
    empty = inventory(user.box.endpoint)
    user.apply("a")
    user.ledger("a").unlink()

    user.teardown("a")

    assert beyond(user, empty) == []


@pytest.mark.slow
def test_a_teardown_of_what_is_gone_says_so(user: User) -> None:
    user.apply("a")
    user.teardown("a")

    assert user.run("teardown", "--yes", "--suffix", "a").code == 6


@pytest.mark.slow
def test_what_was_deleted_by_hand_comes_back(user: User) -> None:
    user.apply("a")
    endpoint = user.box.endpoint
    before = {type_name: len(held) for type_name, held in inventory(endpoint).items()}
    _delete_by_hand(endpoint)

    planned = user.plan("a")

    assert planned.count("it was deleted outside of this tool") == 5
    assert re.search(r"ListenerRule ml-api-rule-\w{4}-a  \(it goes with listener-80, which is created again\)", planned)
    user.apply("a")
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
def test_what_was_changed_by_hand_is_set_right(user: User) -> None:
    user.apply("a")
    endpoint = user.box.endpoint
    before = inventory(endpoint)
    client(endpoint, "logs").put_retention_policy(logGroupName="/aws/ecs/ml-api-a", retentionInDays=3)
    elbv2 = client(endpoint, "elbv2")
    group = elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPath="/wrong")
    client(endpoint, "iam").untag_role(RoleName="ml-api-task-role-a", TagKeys=["ManagedBy"])
    planned = user.plan("a")
    assert "retentionInDays: 3 -> 30" in planned
    assert "HealthCheckPath: /wrong -> /health" in planned
    assert "Tags.ManagedBy: (none) -> ml-api-provisioner" in planned

    user.apply("a")

    after = inventory(endpoint)
    assert after["log group"] == before["log group"]
    assert after["target group"] == before["target group"]
    assert tags(client(endpoint, "iam").list_role_tags(RoleName="ml-api-task-role-a")["Tags"])["ManagedBy"]


@pytest.mark.slow
def test_a_nat_gateway_per_zone_and_back(user: User) -> None:
    def ways_out() -> dict[str, int]:
        found = inventory(user.box.endpoint)
        return {type_name: len(found[type_name]) for type_name in ("nat gateway", "address", "route table")}

    empty = ways_out()
    user.apply("a")
    assert ways_out() == {"nat gateway": 1, "address": 1, "route table": empty["route table"] + 3}

    user.apply("a", "--set", "network.nat=per_zone")
    assert ways_out() == {"nat gateway": 3, "address": 3, "route table": empty["route table"] + 5}
    ec2 = client(user.box.endpoint, "ec2")
    nats = ec2.describe_nat_gateways(Filter=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    assert len({nat["SubnetId"] for nat in nats}) == 3

    user.apply("a")
    assert ways_out() == {"nat gateway": 1, "address": 1, "route table": empty["route table"] + 3}


@pytest.mark.slow
def test_zones_once_chosen_are_kept(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    user.apply("a")
    others = ["us-east-1d", "us-east-1e", "us-east-1f"]
    monkeypatch.setattr(data_sources, "usable_zones", lambda _clients: others)

    assert user.plan("a") == "No changes.\n"
    user.ledger("a").unlink()
    assert "0 to add, 0 to change, 0 to destroy" in user.plan("a")


def test_a_region_with_too_few_zones_is_refused_with_what_it_has(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_sources, "usable_zones", lambda _clients: ["us-east-1a", "us-east-1b"])
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a")

    assert ran.code == 5
    assert "us-east-1a, us-east-1b" in ran.err
    assert "network.zones=2" in ran.err
    assert user.tries(mark) == []


@pytest.mark.parametrize("version", ["15.4", "99", "99.1", "12"])
def test_a_version_that_cannot_be_created_is_refused_with_those_that_can(user: User, version: str) -> None:
    mark = user.mark()

    ran = user.run("apply", "--yes", "--suffix", "a", "--set", f"database.version={version}")

    assert ran.code == 5
    assert version in ran.err
    assert len(re.findall(r"\b\d+\.\d+\b", ran.err)) > 1
    assert user.tries(mark) == []


@pytest.mark.slow
def test_a_stack_lives_in_the_region_it_was_born_in(user: User) -> None:
    empty = inventory(user.box.endpoint)
    user.apply("a", "--region", "eu-west-1")

    assert user.plan("a") == "No changes.\n"
    zones = client(user.box.endpoint, "ec2", "eu-west-1").describe_nat_gateways()["NatGateways"]
    assert len(zones) == 1
    there = inventory(user.box.endpoint)
    assert [
        type_name
        for type_name in ("vpc", "log group", "db cluster", "table", "balancer")
        if there[type_name] != empty[type_name]
    ] == []

    ran = user.run("apply", "--yes", "--suffix", "a", "--region", "us-east-1")
    assert ran.code == 64
    assert "lives in eu-west-1" in ran.err
    assert "--region us-east-1" in ran.err
