"""Reads of the VPC: its subnets, network ACLs, routes, NAT gateways, endpoints and security groups."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.finding import JsonObject, ReadResult
from provisioner.resources.data_sources import EDGE_PREFIX_LIST

# The calls of this module by service; `policy` grants them.
CALLS = {
    "ec2": (
        "DescribeVpcs",
        "DescribeVpcAttribute",
        "DescribeSubnets",
        "DescribeNetworkAcls",
        "DescribeRouteTables",
        "DescribeNatGateways",
        "DescribeVpcEndpoints",
        "DescribeSecurityGroups",
        "DescribeManagedPrefixLists",
    )
}


@dataclass(frozen=True)
class NetworkAcls:
    """The CIDR block of each subnet, and the network ACLs of the VPC."""

    blocks: dict[str, str]
    acls: list[JsonObject]

    def around(self, subnet: str) -> JsonObject | None:
        """Return the network ACL of a subnet; None if there is none."""
        ours = (one for one in self.acls if any(each["SubnetId"] == subnet for each in one["Associations"]))
        return next(ours, None)

    @property
    def default(self) -> str:
        """The id of the VPC's default network ACL, which every new subnet gets."""
        return next((str(one["NetworkAclId"]) for one in self.acls if one["IsDefault"]), "")


def vpc(context: DoctorContext) -> ReadResult:
    """Return the VPC, found by the stack's tags (DescribeVpcs)."""
    ec2 = context.clients.client("ec2")
    found = ec2.describe_vpcs(Filters=context.tag_filters)["Vpcs"]
    return ReadResult(f"VPC {context.aws_name('vpc')}", next(iter(found), None))


def _inside(context: DoctorContext) -> list[JsonObject]:
    """Return the EC2 filter for everything in the VPC, whoever created it."""
    return [{"Name": "vpc-id", "Values": [vpc(context).found["VpcId"]]}]


def subnets(context: DoctorContext) -> list[JsonObject]:
    """Return the subnets of the VPC (DescribeSubnets)."""
    ec2 = context.clients.client("ec2")
    return list(ec2.describe_subnets(Filters=_inside(context))["Subnets"])


def network_acls(context: DoctorContext) -> NetworkAcls:
    """Return the network ACLs of the VPC with the blocks of its subnets (DescribeNetworkAcls)."""
    ec2 = context.clients.client("ec2")
    found = ec2.describe_network_acls(Filters=_inside(context))["NetworkAcls"]
    return NetworkAcls({one["SubnetId"]: one["CidrBlock"] for one in subnets(context)}, list(found))


def names(context: DoctorContext) -> dict[str, bool]:
    """Return the DNS attributes of the VPC that must be on, by name (DescribeVpcAttribute).

    These are enableDnsSupport, and enableDnsHostnames if there are interface endpoints.
    """
    asked = ["enableDnsSupport"]
    if any(one["VpcEndpointType"] == "Interface" for one in endpoints(context)):
        asked.append("enableDnsHostnames")
    return {one: _attribute(context, one) for one in asked}


def _attribute(context: DoctorContext, name: str) -> bool:
    """Return one attribute of the VPC."""
    ec2 = context.clients.client("ec2")
    told = ec2.describe_vpc_attribute(VpcId=vpc(context).found["VpcId"], Attribute=name)
    return bool(told[name[0].upper() + name[1:]]["Value"])


def tables(context: DoctorContext) -> list[JsonObject]:
    """Return the route tables of the VPC (DescribeRouteTables)."""
    ec2 = context.clients.client("ec2")
    return list(ec2.describe_route_tables(Filters=_inside(context))["RouteTables"])


def gateways(context: DoctorContext) -> list[JsonObject]:
    """Return the NAT gateways of the VPC (DescribeNatGateways)."""
    ec2 = context.clients.client("ec2")
    return list(ec2.describe_nat_gateways(Filters=_inside(context))["NatGateways"])


def endpoints(context: DoctorContext) -> list[JsonObject]:
    """Return the endpoints of the VPC (DescribeVpcEndpoints).

    Their states are put in lower case, as AWS spells them in either case.
    """
    ec2 = context.clients.client("ec2")
    found = ec2.describe_vpc_endpoints(Filters=_inside(context))["VpcEndpoints"]
    return [{**one, "State": str(one["State"]).lower()} for one in found]


def groups(context: DoctorContext) -> dict[str, JsonObject]:
    """Return the security groups of the VPC by id (DescribeSecurityGroups)."""
    ec2 = context.clients.client("ec2")
    found = ec2.describe_security_groups(Filters=_inside(context))["SecurityGroups"]
    return {one["GroupId"]: one for one in found}


def edge_lists(context: DoctorContext) -> set[str]:
    """Return the ids of the prefix lists of CloudFront's addresses (DescribeManagedPrefixLists).

    CloudFront calls its origins from these addresses.
    """
    ec2 = context.clients.client("ec2")
    asked = [{"Name": "prefix-list-name", "Values": [EDGE_PREFIX_LIST]}]
    found = ec2.describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
    return {one["PrefixListId"] for one in found}
