"""What was broken by hand is told alike by `status`, `doctor`, `drift` and `report`, whole processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.account_inventory import client
from tests.support.least_privilege import exactly
from tests.support.user import User

NAMED = ("--suffix", "a")


def _delete_nat(user: User) -> None:
    ec2 = client(user.box.endpoint, "ec2")
    found = ec2.describe_nat_gateways()["NatGateways"]
    ec2.delete_nat_gateway(NatGatewayId=next(one["NatGatewayId"] for one in found if one["State"] != "deleted"))


def _deregister(user: User) -> None:
    elbv2 = client(user.box.endpoint, "elbv2")
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        listed = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        elbv2.deregister_targets(TargetGroupArn=arn, Targets=[one["Target"] for one in listed])


def _own_acl(user: User) -> tuple[Any, str]:
    """EC2, and the ACL of the stack's VPC in which its subnets are."""
    ec2 = client(user.box.endpoint, "ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["ml-api"]}])["Vpcs"][0]["VpcId"]
    found = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    return ec2, next(one["NetworkAclId"] for one in found if one["IsDefault"])


def _deny(user: User, block: str = "0.0.0.0/0") -> None:
    """Somebody denies what the tasks ask of the database."""
    ec2, acl = _own_acl(user)
    span = {"From": 5000, "To": 6000}
    asked = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": block, "RuleNumber": 50, "Egress": True}
    ec2.create_network_acl_entry(NetworkAclId=acl, PortRange=span, **asked)


def _wall_in(user: User) -> None:
    """Somebody puts an ACL around a subnet and forgets to say what it allows."""
    ec2, acl = _own_acl(user)
    (now,) = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    made = ec2.create_network_acl(VpcId=now["VpcId"])["NetworkAcl"]["NetworkAclId"]
    for one in now["Associations"]:
        ec2.replace_network_acl_association(AssociationId=one["NetworkAclAssociationId"], NetworkAclId=made)


@pytest.mark.parametrize(
    ("broken", "node", "drawn"),
    [
        (_delete_nat, "nat-1", ()),
        (_deregister, "tg", ("alb",)),
        (_deny, "vpc", ()),
        (_wall_in, "vpc", ()),
    ],
    ids=["the NAT gateway deleted", "no healthy target", "an ACL denies", "another ACL"],
)
def test_all_four_tell_it(
    user: User, tmp_path: Path, broken: Callable[[User], None], node: str, drawn: tuple[str, ...]
) -> None:
    user.apply("a")
    broken(user)

    status = user.process("status", "--local", *NAMED)
    assert status.code == 1, status.out
    assert "Everything is healthy." not in status.out
    assert user.process("doctor", "--local", *NAMED).code == 1
    drift = user.process("drift", "--local", "--detailed-exitcode", *NAMED)
    assert drift.code == 2, drift.out
    assert re.search(rf"/{node}\b", drift.out)
    page = tmp_path / "page.html"
    told = user.process("report", "--local", "--json", "--html", str(page), *NAMED)
    assert told.code == 0, told.err
    assert {name: told.lines[0]["unwell"].get(name) for name in (node, *drawn)} == dict.fromkeys((node, *drawn), "bad")


def test_an_acl_that_stops_nobody_of_ours_is_drift_and_harms_nobody(user: User) -> None:
    user.apply("a")
    assert user.run("drift", "--detailed-exitcode", *NAMED).code == 0
    _deny(user, block="192.0.2.0/24")

    told = user.run("drift", "--detailed-exitcode", *NAMED)

    assert told.code == 2
    assert "egress rule 50: deny tcp 5000 to 6000 192.0.2.0/24" in told.out
    assert "aws ec2 delete-network-acl-entry --network-acl-id acl-" in told.out
    assert user.run("status", *NAMED).code == 0
    assert user.run("doctor", *NAMED).code == 0
    assert user.plan("a") == "No changes.\n"


def test_status_may_look_where_an_acl_was_changed(user: User) -> None:
    """Under exactly its own policy: it asks for more only where somebody changed an ACL."""
    user.apply("a")
    _deny(user)

    with exactly(user, "status", "a") as asked:
        told = user.run("status", *NAMED)

    assert told.code == 1
    assert "rule 50" in told.out
    assert "unknown" not in told.out
    of_the_database = {"rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeDBSubnetGroups"}
    assert {"ecs:DescribeServices", *of_the_database} <= {one.action for one in asked}
