"""Reads of the VPC: its subnets, network ACLs, routes, NAT gateways, endpoints and security groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.doctor.check import JsonObject, ReadResult
from provisioner.doctor.context import DoctorContext
from provisioner.resources.data_sources import EDGE_PREFIX_LIST
from provisioner.resources.ec2.base import Filters, equals_filters
from provisioner.service_clients import EC2

if TYPE_CHECKING:
    from types_boto3_ec2.literals import VpcAttributeNameType

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

    cidr_blocks: dict[str, str]
    acls: list[JsonObject]

    def acl_of_subnet(self, subnet: str) -> JsonObject | None:
        """Return the network ACL of a subnet; None if there is none."""
        matching = (
            acl for acl in self.acls if any(association["SubnetId"] == subnet for association in acl["Associations"])
        )
        return next(matching, None)

    @property
    def default_acl_id(self) -> str:
        """The id of the VPC's default network ACL, which every new subnet gets."""
        return next((str(acl["NetworkAclId"]) for acl in self.acls if acl["IsDefault"]), "")


def read_vpc(context: DoctorContext) -> ReadResult:
    """Return the VPC, found by the stack's tags (DescribeVpcs)."""
    ec2 = context.clients.client(EC2)
    vpcs = ec2.describe_vpcs(Filters=context.tag_filters)["Vpcs"]
    return ReadResult(f"VPC {context.aws_name('vpc')}", next(iter(vpcs), None))


def _vpc_filters(context: DoctorContext) -> Filters:
    """Return the EC2 filter for everything in the VPC, whoever created it."""
    return equals_filters({"vpc-id": read_vpc(context).found["VpcId"]})


def read_subnets(context: DoctorContext) -> list[JsonObject]:
    """Return the subnets of the VPC (DescribeSubnets)."""
    ec2 = context.clients.client(EC2)
    return list(ec2.describe_subnets(Filters=_vpc_filters(context))["Subnets"])


def read_network_acls(context: DoctorContext) -> NetworkAcls:
    """Return the network ACLs of the VPC with the blocks of its subnets (DescribeNetworkAcls)."""
    ec2 = context.clients.client(EC2)
    acls = ec2.describe_network_acls(Filters=_vpc_filters(context))["NetworkAcls"]
    return NetworkAcls({subnet["SubnetId"]: subnet["CidrBlock"] for subnet in read_subnets(context)}, list(acls))


def read_dns_attributes(context: DoctorContext) -> dict[str, bool]:
    """Return the DNS attributes of the VPC that must be on, by name (DescribeVpcAttribute).

    These are enableDnsSupport, and enableDnsHostnames if there are interface endpoints.
    """
    attributes: list[VpcAttributeNameType] = ["enableDnsSupport"]
    if any(endpoint["VpcEndpointType"] == "Interface" for endpoint in read_vpc_endpoints(context)):
        attributes.append("enableDnsHostnames")
    return {attribute: _read_vpc_attribute(context, attribute) for attribute in attributes}


def _read_vpc_attribute(context: DoctorContext, name: VpcAttributeNameType) -> bool:
    """Return one attribute of the VPC."""
    ec2 = context.clients.client(EC2)
    response: JsonObject = ec2.describe_vpc_attribute(VpcId=read_vpc(context).found["VpcId"], Attribute=name)
    return bool(response[name[0].upper() + name[1:]]["Value"])


def read_route_tables(context: DoctorContext) -> list[JsonObject]:
    """Return the route tables of the VPC (DescribeRouteTables)."""
    ec2 = context.clients.client(EC2)
    return list(ec2.describe_route_tables(Filters=_vpc_filters(context))["RouteTables"])


def read_nat_gateways(context: DoctorContext) -> list[JsonObject]:
    """Return the NAT gateways of the VPC (DescribeNatGateways)."""
    ec2 = context.clients.client(EC2)
    return list(ec2.describe_nat_gateways(Filters=_vpc_filters(context))["NatGateways"])


def read_vpc_endpoints(context: DoctorContext) -> list[JsonObject]:
    """Return the endpoints of the VPC (DescribeVpcEndpoints).

    Their states are put in lower case, as AWS spells them in either case.
    """
    ec2 = context.clients.client(EC2)
    endpoints = ec2.describe_vpc_endpoints(Filters=_vpc_filters(context))["VpcEndpoints"]
    return [{**endpoint, "State": str(endpoint["State"]).lower()} for endpoint in endpoints]


def read_security_groups(context: DoctorContext) -> dict[str, JsonObject]:
    """Return the security groups of the VPC by id (DescribeSecurityGroups)."""
    ec2 = context.clients.client(EC2)
    groups = ec2.describe_security_groups(Filters=_vpc_filters(context))["SecurityGroups"]
    return {group["GroupId"]: group for group in groups}


def read_edge_prefix_lists(context: DoctorContext) -> set[str]:
    """Return the ids of the prefix lists of CloudFront's addresses (DescribeManagedPrefixLists).

    CloudFront calls its origins from these addresses.
    """
    ec2 = context.clients.client(EC2)
    filters = equals_filters({"prefix-list-name": EDGE_PREFIX_LIST})
    prefix_lists = ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    return {prefix_list["PrefixListId"] for prefix_list in prefix_lists}
