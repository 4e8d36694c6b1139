"""VPCs and what is in them from the start: zones, subnets' sizes, gateways, the default group."""

from __future__ import annotations

import ipaddress

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.hooks import always
from provisioner.embedded.inner import backend, do
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

SUBNET_SIZES = range(16, 29)  # AWS doc, VPC: subnet CIDR blocks


@always.after("ec2", "DescribeAvailabilityZones")
def zones(_: Call, reply: Reply) -> None:
    """Say of every zone that it needs no opting in."""
    for zone in reply["AvailabilityZones"]:
        zone.setdefault("OptInStatus", "opt-in-not-required")
        zone.setdefault("GroupName", f"{zone['RegionName']}-zg-1")
        zone.setdefault("NetworkBorderGroup", zone["RegionName"])


@always.after("ec2", "CreateVpc")
def default_group(call: Call, reply: Reply) -> None:
    """Let the default group's members reach each other: AWS doc, VPC: default security groups."""
    vpc = reply["Vpc"]["VpcId"]
    group = backend("ec2", call.account, call.region).get_default_security_group(vpc)
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group.id, "UserId": call.account}]}
    do(call, "ec2", "AuthorizeSecurityGroupIngress", GroupId=group.id, IpPermissions=[itself])


@always.before("ec2", "CreateSubnet")
def subnet_size(call: Call) -> None:
    """Refuse sizes on which moto trips."""
    block = call.params.get("CidrBlock", "")
    if "/" not in block:
        return
    if ipaddress.ip_network(block, strict=False).prefixlen not in SUBNET_SIZES:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.")


# botocore ServiceModel, Subnet; moto knows nothing of it.
_dns64: Shelf[bool] = Shelf()


@always.before("ec2", "ModifySubnetAttribute")
def set_dns64(call: Call) -> Reply | None:
    """Keep whether names of IPv4 are told as IPv6."""
    asked = call.params.get("EnableDns64")
    if asked is None:
        return None
    _dns64.of(call)[call.params["SubnetId"]] = asked["Value"]
    return {}


@always.after("ec2", "DescribeSubnets")
def tell_dns64(call: Call, reply: Reply) -> None:
    """Say of each subnet whether names of IPv4 are told as IPv6."""
    for subnet in reply["Subnets"]:
        subnet["EnableDns64"] = _dns64.of(call).get(subnet["SubnetId"], False)


@always.before("ec2", "AttachInternetGateway")
def one_gateway(call: Call) -> None:
    """Take one internet gateway a VPC."""
    vpc = call.params["VpcId"]
    gateways = backend("ec2", call.account, call.region).internet_gateways.values()
    if any(g.vpc and g.vpc.id == vpc and g.id != call.params["InternetGatewayId"] for g in gateways):
        message = f"Network {vpc} already has an internet gateway attached"
        raise AwsError("InvalidParameterValue", message)


@always.after("ec2", "DeleteVpc")
def default_acl(call: Call, _: Reply) -> None:
    """Let the default network ACL go with its VPC (botocore ServiceModel, DeleteVpc)."""
    acls = backend("ec2", call.account, call.region).network_acls
    for name in [name for name, acl in acls.items() if acl.vpc_id == call.params["VpcId"]]:
        del acls[name]


@always.after("ec2", "DescribeAddresses")
def addresses(_: Call, reply: Reply) -> None:
    """Leave out what an address has not."""
    for address in reply["Addresses"]:
        for member in ("NetworkInterfaceId", "InstanceId"):
            if not address.get(member):
                address.pop(member, None)
