"""The VPC: its groups, and the ways out of its subnets."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient
from provisioner.kinds.facts import FROM_EDGE

# What is asked here, by service: `policy` grants it.
CALLS = {
    "ec2": (
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeNatGateways",
        "DescribeVpcEndpoints",
        "DescribeSecurityGroups",
        "DescribeManagedPrefixLists",
    )
}


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
