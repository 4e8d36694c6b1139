"""The VPC: its groups, and the ways out of its subnets."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient
from provisioner.kinds.facts import FROM_EDGE

# What is asked here, by service: `policy` grants it.
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
    """The addresses of each subnet, and the network ACLs around them."""

    blocks: dict[str, str]
    acls: list[Doc]

    def around(self, subnet: str) -> Doc | None:
        """The one around a subnet."""
        ours = (one for one in self.acls if any(each["SubnetId"] == subnet for each in one["Associations"]))
        return next(ours, None)

    @property
    def default(self) -> str:
        """The VPC's own, which every subnet is born with."""
        return next((str(one["NetworkAclId"]) for one in self.acls if one["IsDefault"]), "")


def vpc(p: Patient) -> Sought:
    """DescribeVpcs, by our tags."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_vpcs(Filters=p.tagged)["Vpcs"]
    return Sought(f"VPC {p.named('vpc')}", next(iter(found), None))


def _inside(p: Patient) -> list[Doc]:
    """EC2's filter for what is in the VPC, whoever made it."""
    return [{"Name": "vpc-id", "Values": [vpc(p).found["VpcId"]]}]


def subnets(p: Patient) -> list[Doc]:
    """DescribeSubnets."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_subnets(Filters=_inside(p))["Subnets"])


def borders(p: Patient) -> Borders:
    """DescribeNetworkAcls."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_network_acls(Filters=_inside(p))["NetworkAcls"]
    return Borders({one["SubnetId"]: one["CidrBlock"] for one in subnets(p)}, list(found))


def names(p: Patient) -> dict[str, bool]:
    """DescribeVpcAttribute: whether AWS's resolver answers, and where there are endpoints by their names."""
    asked = ["enableDnsSupport"]
    if any(one["VpcEndpointType"] == "Interface" for one in endpoints(p)):
        asked.append("enableDnsHostnames")
    return {one: _attribute(p, one) for one in asked}


def _attribute(p: Patient, name: str) -> bool:
    ec2 = p.clients.client("ec2")
    told = ec2.describe_vpc_attribute(VpcId=vpc(p).found["VpcId"], Attribute=name)
    return bool(told[name[0].upper() + name[1:]]["Value"])


def tables(p: Patient) -> list[Doc]:
    """DescribeRouteTables."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_route_tables(Filters=_inside(p))["RouteTables"])


def gateways(p: Patient) -> list[Doc]:
    """DescribeNatGateways."""
    ec2 = p.clients.client("ec2")
    return list(ec2.describe_nat_gateways(Filters=_inside(p))["NatGateways"])


def endpoints(p: Patient) -> list[Doc]:
    """DescribeVpcEndpoints; AWS spells their states in either case."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_vpc_endpoints(Filters=_inside(p))["VpcEndpoints"]
    return [{**one, "State": str(one["State"]).lower()} for one in found]


def groups(p: Patient) -> dict[str, Doc]:
    """DescribeSecurityGroups, by id."""
    ec2 = p.clients.client("ec2")
    found = ec2.describe_security_groups(Filters=_inside(p))["SecurityGroups"]
    return {one["GroupId"]: one for one in found}


def edge_lists(p: Patient) -> set[str]:
    """DescribeManagedPrefixLists: the addresses from which CloudFront calls its origins."""
    ec2 = p.clients.client("ec2")
    asked = [{"Name": "prefix-list-name", "Values": [FROM_EDGE]}]
    found = ec2.describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
    return {one["PrefixListId"] for one in found}
