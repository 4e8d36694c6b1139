"""Who holds a thing that will not go: all that AWS counts, and whether it lets go by itself."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from provisioner.engine.calls.batch_scope import BatchScope
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.names import owner_tags
from provisioner.resources.cloudfront import Distribution
from provisioner.resources.ec2.network_interfaces import interface_blockers
from provisioner.resources.ec2.route_tables import RouteTable
from provisioner.resources.ec2.security_groups import SecurityGroup
from provisioner.resources.ec2.vpc import Vpc
from provisioner.resources.tags import pairs
from provisioner.service_clients import EC2, CloudFront
from tests.support.account_inventory import client
from tests.support.fake_resources import as_client
from tests.support.printed_commands import carry_out, printed


@pytest.fixture(scope="module")
def ec2(served: LocalAws) -> Any:
    served.behave(behaviours=False, speed=0.0)
    served.reset()
    made = client(served.endpoint, "ec2")
    made.region, made.batch_scope = "us-east-1", BatchScope()  # as the engine's client tells it
    return made


@pytest.fixture
def vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def group(ec2: Any, vpc: str, name: str, **tags: str) -> str:
    told = [{"Key": key, "Value": value} for key, value in tags.items()]
    more = {"TagSpecifications": [{"ResourceType": "security-group", "Tags": told}]} if told else {}
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc, **more)["GroupId"])


def test_a_vpc_is_held_by_all_that_does_not_go_with_it(ec2: Any, vpc: str) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    theirs = group(ec2, vpc, "theirs")
    ours = group(ec2, vpc, "ours", **owner_tags("a"))

    told = {one.description: one.temporary for one in Vpc().blockers(ec2, ResourceSpec("vpc", "", "a", id=vpc))}

    assert told == {
        f"subnet {subnet}": False,
        f"route table {table}": False,
        f"security group {theirs} theirs": False,
        f"security group {ours} ours": True,
    }


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_a_group_is_held_by_the_rules_of_others_either_way(served: LocalAws, ec2: Any, vpc: str, way: str) -> None:
    ours, theirs = group(ec2, vpc, "ours"), group(ec2, vpc, "theirs")
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": ours}]}
    getattr(ec2, f"authorize_security_group_{way}")(GroupId=theirs, IpPermissions=[pair])
    getattr(ec2, f"authorize_security_group_{way}")(GroupId=ours, IpPermissions=[pair])

    told = SecurityGroup().blockers(ec2, ResourceSpec("sg", "", "a", id=ours))

    assert [(one.description, one.temporary) for one in told] == [(f"a rule of {theirs}", False)]
    for command in printed(told[0].remedy):
        carry_out(served, command)
    assert SecurityGroup().blockers(ec2, ResourceSpec("sg", "", "a", id=ours)) == []


def test_a_route_table_is_held_by_the_subnets_that_follow_it(served: LocalAws, ec2: Any, vpc: str) -> None:
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    theirs, ours = (ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24")["Subnet"]["SubnetId"] for at in (1, 2))
    ec2.create_tags(Resources=[ours], Tags=pairs(owner_tags("a")))
    for subnet in (theirs, ours):
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    told = RouteTable().blockers(ec2, ResourceSpec("routes", "", "a", {"VpcId": vpc}, id=table))

    assert {one.description: one.temporary for one in told} == {f"subnet {theirs}": False, f"subnet {ours}": True}
    for command in [one for held in told if not held.temporary for one in printed(held.remedy)]:
        carry_out(served, command)
    left = RouteTable().blockers(ec2, ResourceSpec("routes", "", "a", {"VpcId": vpc}, id=table))
    assert [one.description for one in left] == [f"subnet {ours}"]


def test_a_gateway_that_follows_a_route_table_holds_it() -> None:
    class Ec2:
        region = "us-east-1"

        def describe_route_tables(self, **_: Any) -> Any:
            edge = {"RouteTableAssociationId": "rtbassoc-1", "GatewayId": "igw-1", "Main": False}
            return {"RouteTables": [{"RouteTableId": "rtb-1", "Associations": [edge]}]}

        def describe_subnets(self, **_: Any) -> Any:
            return {"Subnets": []}

    (told,) = RouteTable().blockers(
        as_client(EC2, Ec2()), ResourceSpec("routes", "", "a", {"VpcId": "vpc-1"}, id="rtb-1")
    )

    assert (told.description, told.temporary) == ("gateway igw-1", False)
    assert "disassociate-route-table --association-id rtbassoc-1 --region us-east-1" in told.remedy


def test_what_lambda_holds_it_holds_as_long_as_somebody_keeps_the_function() -> None:
    class Ec2:
        region = "us-east-1"

        def describe_network_interfaces(self, **_: Any) -> Any:
            made = {"RequesterManaged": True, "RequesterId": "AROA:fn"}
            purposes = ("AWS Lambda VPC ENI-fn-1", "ELB app/ml-api-alb-a/1")
            return {
                "NetworkInterfaces": [
                    {"NetworkInterfaceId": f"eni-{at}", "Description": purpose, **made}
                    for at, purpose in enumerate(purposes)
                ]
            }

    assert [one.temporary for one in interface_blockers(as_client(EC2, Ec2()), {"vpc-id": "vpc-1"}, "a")] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("groups", "kind", "passing"),
    [
        (["ml-api-sg-db-a"], "interface", True),
        (["CloudFront-VPCOrigins-Service-SG"], "interface", True),
        (["theirs", "ml-api-sg-alb-a"], "interface", True),
        ([], "network_load_balancer", True),
        (["default"], "nat_gateway", True),
        (["default"], "interface", False),
        (["theirs"], "interface", False),
        (["ml-api-sg-db-other"], "interface", False),
    ],
)
def test_what_aws_holds_for_others_does_not_pass(groups: list[str], kind: str, passing: bool) -> None:
    told = [{"GroupName": name, "GroupId": "sg-1"} for name in groups]
    interface = {"RequesterManaged": True, "Description": "ELB app/ml-api-alb-a/1", "InterfaceType": kind}
    interface |= {"NetworkInterfaceId": "eni-1", "Groups": told}

    class Ec2:
        region = "us-east-1"

        def describe_network_interfaces(self, **_: Any) -> Any:
            return {"NetworkInterfaces": [interface]}

    assert [one.temporary for one in interface_blockers(as_client(EC2, Ec2()), {"vpc-id": "vpc-1"}, "a")] == [passing]


@pytest.mark.parametrize(
    ("state", "tags", "passing"),
    [("available", {}, False), ("deleting", {}, True), ("available", owner_tags("a"), True)],
)
@pytest.mark.parametrize("purpose", ["Interface for NAT Gateway nat-0a", "VPC Endpoint Interface vpce-0a"])
def test_what_somebody_else_put_into_our_subnet_stays(
    purpose: str, state: str, tags: dict[str, str], passing: bool
) -> None:
    told = {"RequesterManaged": True, "Description": purpose, "NetworkInterfaceId": "eni-1"}
    owner = {"State": state, "Tags": pairs(tags)}

    class Ec2:
        region = "us-east-1"

        def describe_network_interfaces(self, **_: Any) -> Any:
            return {"NetworkInterfaces": [told]}

        def describe_nat_gateways(self, **asked: Any) -> Any:
            assert asked["Filters"][0]["Values"] == ["nat-0a"]
            return {"NatGateways": [owner]}

        def describe_vpc_endpoints(self, **asked: Any) -> Any:
            assert asked["Filters"][0]["Values"] == ["vpce-0a"]
            return {"VpcEndpoints": [owner]}

    assert [one.temporary for one in interface_blockers(as_client(EC2, Ec2()), {"subnet-id": "subnet-1"}, "a")] == [
        passing
    ]


class Refusing:
    """CloudFront, which refuses every change with one code; `asked` are the other calls made."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.asked: list[str] = []

    def update_distribution(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "UpdateDistribution")

    def get_distribution(self, **_: Any) -> dict[str, Any]:
        self.asked.append("GetDistribution")
        return {"Distribution": {"ARN": "arn"}}


@pytest.mark.parametrize("code", ["Throttling", "PreconditionFailed", "AccessDenied", "InvalidArgument"])
def test_a_refusal_that_names_no_plan_is_told_as_it_came_and_asks_for_none(code: str) -> None:
    cloudfront = Refusing(code)
    spec = ResourceSpec("edge", "edge", "a", {"DefaultCacheBehavior": {}}, id="E1", live={"ETag": "1"})

    with pytest.raises(ClientError, match=code):
        Distribution().update(as_client(CloudFront, cloudfront), spec, {"PriceClass": "PriceClass_All"})

    assert cloudfront.asked == []
