"""Reads of the VPC: its subnets, network ACLs, routes, NAT gateways, endpoints and security groups."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient
from provisioner.resources.facts import FROM_EDGE

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
class Borders:
    """The CIDR block of each subnet, and the network ACLs of the VPC."""

    blocks: dict[str, str]
    acls: list[Doc]

    def around(self, subnet: str) -> Doc | None:
        """Return the network ACL of a subnet; None if there is none."""
        ours = (one for one in self.acls if any(each["SubnetId"] == subnet for each in one["Associations"]))
        return next(ours, None)

    @property
    def default(self) -> str:
        """The id of the VPC's default network ACL, which every new subnet gets."""
        return next((str(one["NetworkAclId"]) for one in self.acls if one["IsDefault"]), "")


def vpc(p: Patient) -> Sought:
    """Return the VPC, found by the stack's tags (DescribeVpcs)."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_vpcs(Filters=p.tagged)["Vpcs"]
    return Sought(f"VPC {p.named('vpc')}", next(iter(found), None))


def _inside(p: Patient) -> list[Doc]:
    """Return the EC2 filter for everything in the VPC, whoever created it."""
    return [{"Name": "vpc-id", "Values": [vpc(p).found["VpcId"]]}]


def subnets(p: Patient) -> list[Doc]:
    """Return the subnets of the VPC (DescribeSubnets)."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_subnets(Filters=_inside(p))["Subnets"])


def borders(p: Patient) -> Borders:
    """Return the network ACLs of the VPC with the blocks of its subnets (DescribeNetworkAcls)."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_network_acls(Filters=_inside(p))["NetworkAcls"]
    return Borders({one["SubnetId"]: one["CidrBlock"] for one in subnets(p)}, list(found))


def names(p: Patient) -> dict[str, bool]:
    """Return the DNS attributes of the VPC that must be on, by name (DescribeVpcAttribute).

    These are enableDnsSupport, and enableDnsHostnames if there are interface endpoints.
    """
    asked = ["enableDnsSupport"]
    if any(one["VpcEndpointType"] == "Interface" for one in endpoints(p)):
        asked.append("enableDnsHostnames")
    return {one: _attribute(p, one) for one in asked}


def _attribute(p: Patient, name: str) -> bool:
    """Return one attribute of the VPC."""
    ec2 = p.clients.client("ec2")
    told = ec2.describe_vpc_attribute(VpcId=vpc(p).found["VpcId"], Attribute=name)
    return bool(told[name[0].upper() + name[1:]]["Value"])


def tables(p: Patient) -> list[Doc]:
    """Return the route tables of the VPC (DescribeRouteTables)."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_route_tables(Filters=_inside(p))["RouteTables"])


def gateways(p: Patient) -> list[Doc]:
    """Return the NAT gateways of the VPC (DescribeNatGateways)."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_nat_gateways(Filters=_inside(p))["NatGateways"])


def endpoints(p: Patient) -> list[Doc]:
    """Return the endpoints of the VPC (DescribeVpcEndpoints).

    Their states are put in lower case, as AWS spells them in either case.
    """
    ec2 = p.clients.client("ec2")
    found = ec2.describe_vpc_endpoints(Filters=_inside(p))["VpcEndpoints"]
    return [{**one, "State": str(one["State"]).lower()} for one in found]


def groups(p: Patient) -> dict[str, Doc]:
    """Return the security groups of the VPC by id (DescribeSecurityGroups)."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_security_groups(Filters=_inside(p))["SecurityGroups"]
    return {one["GroupId"]: one for one in found}


def edge_lists(p: Patient) -> set[str]:
    """Return the ids of the prefix lists of CloudFront's addresses (DescribeManagedPrefixLists).

    CloudFront calls its origins from these addresses.
    """
    ec2 = p.clients.client("ec2")
    asked = [{"Name": "prefix-list-name", "Values": [FROM_EDGE]}]
    found = ec2.describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
    return {one["PrefixListId"] for one in found}
