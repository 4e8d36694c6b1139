"""How much of a quota is used: the resources of the region, whoever created them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from provisioner.engine.calls.clients import Clients

_GONE = ("deleted", "deleting", "failed")

# The calls of this module and of the quota check by service; `policy` grants them.
CALLS = {
    "ec2": (
        "DescribeAddresses",
        "DescribeInternetGateways",
        "DescribeNatGateways",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    "elbv2": ("DescribeLoadBalancers",),
    "rds": ("DescribeDBClusters",),
    "service-quotas": ("GetServiceQuota",),
}


def networks(clients: Clients) -> Mapping[str, int]:
    """Count the VPCs with DescribeVpcs."""
    return {"": len(clients.client("ec2").describe_vpcs()["Vpcs"])}


def gateways(clients: Clients) -> Mapping[str, int]:
    """Count the internet gateways with DescribeInternetGateways."""
    return {"": len(clients.client("ec2").describe_internet_gateways()["InternetGateways"])}


def public_addresses(clients: Clients) -> Mapping[str, int]:
    """Count the Elastic IPs with DescribeAddresses."""
    return {"": len(clients.client("ec2").describe_addresses()["Addresses"])}


def nat_gateways(clients: Clients) -> Mapping[str, int]:
    """Count the NAT gateways (DescribeNatGateways) by the zone of their subnet (DescribeSubnets)."""
    ec2 = clients.client("ec2")
    found = [one for one in ec2.describe_nat_gateways()["NatGateways"] if one.get("State") not in _GONE]
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in ec2.describe_subnets()["Subnets"]}
    return Counter(zones.get(one.get("SubnetId"), "") for one in found)


def balancers(clients: Clients) -> Mapping[str, int]:
    """Count the application load balancers with DescribeLoadBalancers."""
    found = clients.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return {"": sum(one.get("Type") == "application" for one in found)}


def clusters(clients: Clients) -> Mapping[str, int]:
    """Count the database clusters with DescribeDBClusters."""
    return {"": len(clients.client("rds").describe_db_clusters()["DBClusters"])}
