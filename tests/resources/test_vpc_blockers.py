"""Whatever of others' keeps our VPC is named before the first deletion, with the command that ends it."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.engine.types.blocker import are_permanent
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren
from provisioner.names import owner_tags
from provisioner.resources.ec2.network_interfaces import interface_blockers
from provisioner.resources.ec2.vpc import Vpc
from provisioner.resources.ec2.vpc_blockers import vpc_blockers
from provisioner.resources.ec2.vpc_unmanaged import unmanaged_in_vpc
from provisioner.resources.tags import pairs
from provisioner.service_clients import EC2
from tests.support.account_inventory import client
from tests.support.fake_resources import as_client
from tests.support.printed_commands import carry_out, printed
from tests.support.user import User

Maker = Callable[[Any, str, str], str]


def acl(ec2: Any, vpc: str, subnet: str) -> str:
    """One around a subnet of ours."""
    made = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    inside = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (now,) = ec2.describe_network_acls(Filters=inside)["NetworkAcls"]
    follows = next(one for one in now["Associations"] if one["SubnetId"] == subnet)
    association = follows["NetworkAclAssociationId"]
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=made)
    return str(made)


def vpn(ec2: Any, vpc: str, _: str) -> str:
    made = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpcId=vpc, VpnGatewayId=made)
    return str(made)


def peering(ec2: Any, vpc: str, _: str) -> str:
    """One that their side asked for and that is accepted."""
    theirs = ec2.create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=theirs, PeerVpcId=vpc)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    return str(made["VpcPeeringConnectionId"])


def egress_only(ec2: Any, vpc: str, _: str) -> str:
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    return str(made["EgressOnlyInternetGatewayId"])


def carrier(ec2: Any, vpc: str, _: str) -> str:
    return str(ec2.create_carrier_gateway(VpcId=vpc)["CarrierGateway"]["CarrierGatewayId"])


def transit(ec2: Any, vpc: str, subnet: str) -> str:
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    asked = {"TransitGatewayId": gateway, "VpcId": vpc, "SubnetIds": [subnet]}
    made = ec2.create_transit_gateway_vpc_attachment(**asked)["TransitGatewayVpcAttachment"]
    return str(made["TransitGatewayAttachmentId"])


def endpoint(ec2: Any, vpc: str, _: str) -> str:
    """A gateway endpoint, which has no interface."""
    asked = {"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.us-east-1.dynamodb"}
    return str(ec2.create_vpc_endpoint(VpcId=vpc, **asked)["VpcEndpoint"]["VpcEndpointId"])


def table(ec2: Any, vpc: str, _: str) -> str:
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def group(ec2: Any, vpc: str, _: str) -> str:
    return str(ec2.create_security_group(GroupName="theirs", Description="t", VpcId=vpc)["GroupId"])


# How the command ends that each is told with; the association of an ACL and of a VPN gateway goes first.
MADE: dict[Maker, str] = {
    acl: "delete-network-acl --network-acl-id {id}",
    vpn: "detach-vpn-gateway --vpn-gateway-id {id} --vpc-id {vpc}",
    peering: "delete-vpc-peering-connection --vpc-peering-connection-id {id}",
    egress_only: "delete-egress-only-internet-gateway --egress-only-internet-gateway-id {id}",
    carrier: "delete-carrier-gateway --carrier-gateway-id {id}",
    transit: "delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id {id}",
    endpoint: "delete-vpc-endpoints --vpc-endpoint-ids {id}",
    table: "delete-route-table --route-table-id {id}",
    group: "delete-security-group --group-id {id}",
}


def test_all_that_holds_our_vpc_is_told_with_its_command_and_nothing_is_deleted_before(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a", "--target", "vpc")
    ec2 = client(user.box.endpoint, "ec2")
    ours = [{"Name": "tag:Project", "Values": ["ml-api"]}]
    vpc = ec2.describe_vpcs(Filters=ours)["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets(Filters=ours)["Subnets"][0]["SubnetId"]
    assert "is held by" not in user.run("plan", "--destroy", "--suffix", "a").out
    made = {make: make(ec2, vpc, subnet) for make in MADE}
    user.box.advance(60)  # what was just made may be hidden from another call
    wanted = [end.format(id=made[make], vpc=vpc) for make, end in MADE.items()]
    before = user.mark()

    planned = user.run("plan", "--destroy", "--suffix", "a").out
    asked = user.run("teardown", "--suffix", "a").err

    drift = user.run("drift", "--detailed-exitcode", "--suffix", "a")

    assert user.tries(before) == []
    assert drift.code == 2
    beside = [one for one in drift.out.splitlines() if "(apply leaves it: " in one]
    for id_ in made.values():
        assert [one for one in beside if id_ in one.partition("(")[0]], id_
    for command in wanted:
        assert f"`aws ec2 {command} --region us-east-1`" in planned
        assert f"`aws ec2 {command} --region us-east-1`" in asked
    for command in printed(planned):
        carry_out(user.box, command)
    assert "is held by" not in user.run("plan", "--destroy", "--suffix", "a").out
    user.well("teardown", "--yes", "--suffix", "a")


def test_drift_takes_nothing_of_ours_for_others_that_has_lost_its_tags(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a", "--target", "vpc")
    assert "No drift." in user.run("drift", "--detailed-exitcode", "--suffix", "a").out
    ec2 = client(user.box.endpoint, "ec2")
    ours = [{"Name": "tag:Project", "Values": ["ml-api"]}]
    tables = [one["RouteTableId"] for one in ec2.describe_route_tables(Filters=ours)["RouteTables"]]
    gateways = ec2.describe_internet_gateways(Filters=ours)["InternetGateways"]
    ids = [*tables, *(one["InternetGatewayId"] for one in gateways)]
    ec2.delete_tags(Resources=ids, Tags=[{"Key": "Project"}, {"Key": "Environment"}])

    ran = user.run("drift", "--detailed-exitcode", "--suffix", "a", "--json")

    assert ran.code == 2
    (line,) = ran.lines
    assert {one["what"] for one in line["drift"]} == {"altered"}


@pytest.mark.parametrize("make", [acl, vpn, peering, egress_only, carrier, transit, endpoint])
def test_the_emulator_keeps_a_vpc_for_it_as_aws_does(user: User, make: Maker) -> None:
    ec2 = client(user.box.endpoint, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    user.box.advance(60)  # what was just made may be hidden from another call
    make(ec2, vpc, subnet)
    ec2.delete_subnet(SubnetId=subnet)

    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc)


class Told:
    """EC2 with nothing in the VPC but what a test names, by call; denied calls raise."""

    region = "eu-west-1"

    def __init__(self, denied: str = "", **answers: list[dict[str, Any]]) -> None:
        self.denied, self.answers = denied, answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(**_: Any) -> Any:
            if name == self.denied:
                raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, name)
            return {key: self.answers.get(key, []) for key in KEYS}

        return answer


KEYS = (
    *("CarrierGateways", "EgressOnlyInternetGateways", "InternetGateways", "NetworkAcls", "RouteTables"),
    *("SecurityGroups", "Subnets", "TransitGatewayVpcAttachments", "VpcEndpoints"),
    *("VpcPeeringConnections", "VpnGateways"),
)
VPC = ResourceSpec("vpc", "", "a", id="vpc-1")
SIDES = {"RequesterVpcInfo": {"VpcId": "vpc-2"}, "AccepterVpcInfo": {"VpcId": "vpc-1"}}


def in_vpc(state: str) -> list[dict[str, str]]:
    return [{"VpcId": "vpc-1", "State": state}]


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        ("attached", [False]),
        ("attaching", [False]),
        ("available", [False]),
        ("detaching", [True]),
        ("detached", []),
    ],
)
def test_a_gateway_that_is_leaving_passes_and_one_that_left_holds_nothing(state: str, passing: list[bool]) -> None:
    told = Told(
        VpnGateways=[{"VpnGatewayId": "vgw-1", "VpcAttachments": in_vpc(state)}],
        EgressOnlyInternetGateways=[{"EgressOnlyInternetGatewayId": "e-1", "Attachments": in_vpc(state)}],
        InternetGateways=[{"InternetGatewayId": "igw-1", "Attachments": in_vpc(state)}],
    )

    assert [one.temporary for one in vpc_blockers(as_client(EC2, told), VPC)] == passing * 3


def test_a_gateway_is_named_in_words_and_its_command_in_those_of_the_aws_cli() -> None:
    told = Told(
        VpnGateways=[{"VpnGatewayId": "vgw-1", "VpcAttachments": in_vpc("attached")}],
        InternetGateways=[{"InternetGatewayId": "igw-1", "Attachments": in_vpc("available")}],
    )

    internet, vpn = vpc_blockers(as_client(EC2, told), VPC)

    assert internet.description == "internet gateway igw-1"
    assert "detach-internet-gateway --internet-gateway-id igw-1 --vpc-id vpc-1" in internet.remedy
    assert vpn.description == "VPN gateway vgw-1"
    assert "detach-vpn-gateway --vpn-gateway-id vgw-1 --vpc-id vpc-1" in vpn.remedy


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        *((state, [False]) for state in ("initiating-request", "pending-acceptance", "provisioning", "active")),
        ("deleting", [True]),
        *((state, []) for state in ("deleted", "rejected", "failed", "expired")),
    ],
)
def test_a_peering_connection_holds_until_it_is_over(state: str, passing: list[bool]) -> None:
    peered = {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": state}, **SIDES}
    told = vpc_blockers(as_client(EC2, Told(VpcPeeringConnections=[peered])), VPC)

    assert [one.temporary for one in told] == passing
    assert all("pcx-1 with vpc-2" in one.description for one in told)


def test_what_others_have_elsewhere_and_what_is_ours_is_no_blocker() -> None:
    away = {"VpcId": "vpc-9", "State": "attached"}
    tags = pairs(owner_tags("a"))
    told = vpc_blockers(
        as_client(
            EC2,
            Told(
                EgressOnlyInternetGateways=[{"EgressOnlyInternetGatewayId": "e-1", "Attachments": [away]}],
                InternetGateways=[{"InternetGatewayId": "i", "Attachments": in_vpc("available"), "Tags": tags}],
                VpcPeeringConnections=[
                    {"VpcPeeringConnectionId": "p", "Status": {"Code": "active"}, "RequesterVpcInfo": away}
                ],
                VpcEndpoints=[
                    {"VpcEndpointId": "v", "ServiceName": "s3", "State": "available", "Tags": tags},
                    {
                        "VpcEndpointId": "w",
                        "ServiceName": "x",
                        "State": "available",
                        "NetworkInterfaceIds": ["e"],
                    },
                ],
                NetworkAcls=[{"NetworkAclId": "own", "IsDefault": True}],
            ),
        ),
        VPC,
    )

    assert [one.description for one in told if not one.temporary] == []


def test_a_look_that_an_older_policy_denies_hides_no_other_blocker() -> None:
    acls = [{"NetworkAclId": "acl-1", "IsDefault": False}]
    told = vpc_blockers(as_client(EC2, Told(denied="describe_vpn_gateways", NetworkAcls=acls)), VPC)

    assert [(one.temporary, one.uncertain) for one in told] == [(False, False), (True, True)]
    assert "denied describe_vpn_gateways" in str(told[1])


def test_drift_says_what_an_older_policy_does_not_let_it_list_and_counts_it_as_no_drift(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (doubt,) = unmanaged_in_vpc(as_client(EC2, Told(denied="describe_vpn_gateways")), VPC, KnownChildren(()))
    user.well("apply", "--yes", "--suffix", "a", "--target", "vpc")
    monkeypatch.setattr(Vpc, "unmanaged", lambda *_: [doubt])
    ran = user.run("drift", "--detailed-exitcode", "--suffix", "a")

    assert (ran.code, "No drift." in ran.out) == (0, True)
    denied = "AWS denied describe_vpn_gateways; look for them in the VPC console"
    assert f"Not known: VPN gateways, if there are any: {denied}." in ran.err


def test_a_transit_gateways_interface_in_our_subnet_does_not_pass() -> None:
    """It is in no group, and AWS keeps it as long as the attachment stands."""
    purpose = "Network Interface for Transit Gateway Attachment tgw-attach-1"
    made = {"NetworkInterfaceId": "eni-1", "RequesterManaged": True, "Description": purpose}
    (told,) = interface_blockers(as_client(EC2, Interfaces(made)), {"subnet-id": "s-1"}, "a")

    assert not told.temporary
    assert "--transit-gateway-attachment-id tgw-attach-1 --region eu-west-1" in told.remedy


class Interfaces:
    region = "eu-west-1"

    def __init__(self, *interfaces: dict[str, Any]) -> None:
        self.interfaces = interfaces

    def describe_network_interfaces(self, **_: Any) -> Any:
        return {"NetworkInterfaces": list(self.interfaces)}


def test_of_the_groups_in_our_vpc_those_pass_that_this_run_or_aws_deletes() -> None:
    """CloudFront deletes its own with the last VPC origin of the account: nobody can, or need, delete it by hand."""
    groups = [
        {"GroupId": "sg-1", "GroupName": "default"},
        {"GroupId": "sg-2", "GroupName": "CloudFront-VPCOrigins-Service-SG"},
        {"GroupId": "sg-3", "GroupName": "ml-api-sg-db-a", "Tags": pairs(owner_tags("a"))},
        {"GroupId": "sg-4", "GroupName": "theirs"},
    ]

    class Ec2:
        region = "us-east-1"

        def describe_security_groups(self, **_: Any) -> Any:
            return {"SecurityGroups": groups}

        def __getattr__(self, _: str) -> Any:
            return lambda **_: collections.defaultdict(list)

    found = vpc_blockers(as_client(EC2, Ec2()), ResourceSpec("vpc", "", "a", id="vpc-1"))

    assert {one.description.split()[2]: one.temporary for one in found} == {"sg-2": True, "sg-3": True, "sg-4": False}
    assert not are_permanent(found)
    assert are_permanent([one for one in found if "theirs" in one.description])
