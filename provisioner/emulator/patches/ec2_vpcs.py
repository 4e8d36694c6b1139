"""EC2: VPCs, subnets and network ACLs, as EC2 answers for them."""

from __future__ import annotations

import ipaddress

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

SUBNET_SIZES = range(16, 29)  # AWS doc, VPC: subnet CIDR blocks


@always.after("ec2", "DescribeAvailabilityZones")
def complete_zones(_: Call, reply: Reply) -> None:
    """Add to every zone that it needs no opt-in, and the names of its groups."""
    for zone in reply["AvailabilityZones"]:
        zone.setdefault("OptInStatus", "opt-in-not-required")
        zone.setdefault("GroupName", f"{zone['RegionName']}-zg-1")
        zone.setdefault("NetworkBorderGroup", zone["RegionName"])


@always.after("ec2", "CreateVpc")
def open_default_group(call: Call, reply: Reply) -> None:
    """Let the members of a default security group reach each other.

    Source: AWS doc, VPC, default security groups.
    """
    vpc = reply["Vpc"]["VpcId"]
    group = backend("ec2", call.account, call.region).get_default_security_group(vpc)
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group.id, "UserId": call.account}]}
    ask_moto(call, "ec2", "AuthorizeSecurityGroupIngress", GroupId=group.id, IpPermissions=[itself])


@always.before("ec2", "CreateSubnet")
def subnet_size(call: Call) -> None:
    """Refuse a subnet larger than /16 or smaller than /28; moto crashes on it."""
    block = call.params.get("CidrBlock", "")
    if "/" not in block:
        return
    if ipaddress.ip_network(block, strict=False).prefixlen not in SUBNET_SIZES:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.")


# EnableDns64 by subnet id, which moto does not know: botocore ServiceModel, Subnet.
_dns64: AccountStore[bool] = AccountStore()


@always.before("ec2", "ModifySubnetAttribute")
def set_dns64(call: Call) -> Reply | None:
    """Keep whether DNS answers a subnet with IPv6 addresses for names that have IPv4 only."""
    setting = call.params.get("EnableDns64")
    if setting is None:
        return None
    _dns64.of(call)[call.params["SubnetId"]] = setting["Value"]
    return {}


@always.after("ec2", "DescribeSubnets")
def add_dns64(call: Call, reply: Reply) -> None:
    """Add to each subnet whether DNS answers it with IPv6 addresses for names that have IPv4 only."""
    for subnet in reply["Subnets"]:
        subnet["EnableDns64"] = _dns64.of(call).get(subnet["SubnetId"], False)


@always.before("ec2", "AttachInternetGateway")
def refuse_second_gateway(call: Call) -> None:
    """Refuse a second internet gateway for a VPC."""
    vpc = call.params["VpcId"]
    gateways = backend("ec2", call.account, call.region).internet_gateways.values()
    if any(g.vpc and g.vpc.id == vpc and g.id != call.params["InternetGatewayId"] for g in gateways):
        message = f"Network {vpc} already has an internet gateway attached"
        raise AwsError("InvalidParameterValue", message)


@always.after("ec2", "DeleteVpc")
def delete_default_acl(call: Call, _: Reply) -> None:
    """Delete the default network ACL with its VPC (botocore ServiceModel, DeleteVpc)."""
    acls = backend("ec2", call.account, call.region).network_acls
    for name in [name for name, acl in acls.items() if acl.vpc_id == call.params["VpcId"]]:
        del acls[name]


@always.after("ec2", "DescribeAddresses")
def complete_addresses(_: Call, reply: Reply) -> None:
    """Leave out of addresses the interface and instance ids that are empty."""
    for address in reply["Addresses"]:
        for member in ("NetworkInterfaceId", "InstanceId"):
            if not address.get(member):
                address.pop(member, None)


# The rule that the console shows as "*": botocore ServiceModel, CreateNetworkAclEntry, RuleNumber.
LAST = 32767


@always.after("ec2", "CreateNetworkAcl")
def deny_all(call: Call, reply: Reply) -> None:
    """Give a new ACL the rules that deny all traffic no other rule allows.

    Source: VPC user guide, custom network ACLs.
    """
    acl = reply["NetworkAcl"]["NetworkAclId"]
    rule = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0", "RuleNumber": LAST}
    for egress in (True, False):
        ask_moto(call, "ec2", "CreateNetworkAclEntry", NetworkAclId=acl, Egress=egress, **rule)


@always.before("ec2", "DeleteNetworkAclEntry")
def delete_entry(call: Call) -> None:
    """Refuse to delete an entry that does not exist; moto crashes on it (EC2 API reference, error codes)."""
    entry = (call.params["Egress"], call.params["RuleNumber"])
    acl = backend("ec2", call.account, call.region).network_acls.get(call.params["NetworkAclId"])
    if acl is not None and entry not in {(each.egress, each.rule_number) for each in acl.network_acl_entries}:
        message = f"The specified rule {entry[1]} does not exist in the network ACL {acl.id}"
        raise AwsError("InvalidNetworkAclEntry.NotFound", message)


@always.after("ec2", "DeleteSubnet")
def leave_acl(call: Call, _reply: Reply) -> None:
    """Remove a deleted subnet from its ACL.

    Moto would keep the association in its replies, and then never delete the ACL.
    """
    for acl in backend("ec2", call.account, call.region).network_acls.values():
        association_ids = [
            id_ for id_, association in acl._associations.items() if association.subnet_id == call.params["SubnetId"]
        ]
        for id_ in association_ids:
            del acl._associations[id_]
