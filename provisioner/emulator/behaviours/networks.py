"""Dependencies in a VPC: EC2 refuses to delete a part of a network that something else uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

_PEERED = ("initiating-request", "pending-acceptance", "provisioning", "active")


def _ec2(call: Call) -> Any:
    """Return moto's EC2 backend."""
    return backend("ec2", call.account, call.region)


def _dependency_violation(message: str) -> AwsError:
    """Return the error DependencyViolation with a message."""
    return AwsError("DependencyViolation", message)


@behaviours.before("ec2", "DeleteSubnet")
def delete_subnet(call: Call) -> None:
    """Refuse to delete a subnet with interfaces: terraform-provider-aws ec2/vpc_subnet.go retries on this."""
    name = call.params["SubnetId"]
    if any(interface.subnet_id == name for interface in _ec2(call).enis.values()):
        raise _dependency_violation(f"The subnet '{name}' has dependencies and cannot be deleted.")


@behaviours.before("ec2", "DeleteSecurityGroup")
def delete_group(call: Call) -> None:
    """Refuse to delete a group that an interface has or another's rule names (botocore ServiceModel)."""
    ec2 = _ec2(call)
    group = ec2.get_security_group_from_id(call.params.get("GroupId"))
    if group is None:
        return
    if group.name == "default":
        message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise AwsError("CannotDelete", message)
    worn = any(group in interface._group_set for interface in ec2.enis.values())
    if worn or any(other.id != group.id and _refers_to_group(other, group.id) for other in _groups(ec2)):
        raise _dependency_violation(f"resource {group.id} has a dependent object")


def _groups(ec2: Any) -> Iterator[Any]:
    """Yield all security groups."""
    for groups in ec2.groups.values():
        yield from groups.values()


def _refers_to_group(group: Any, name: str) -> bool:
    """Return whether a rule of a security group refers to another group."""
    rules = [*group.ingress_rules, *group.egress_rules]
    return any(rule.source_group.get("GroupId") == name for rule in rules)


@behaviours.before("ec2", "DetachInternetGateway")
def detach_gateway(call: Call) -> None:
    """Refuse to detach with a mapped public address: terraform-provider-aws ec2/vpc_internet_gateway.go."""
    vpc = call.params["VpcId"]
    if any(e.vpc_id == vpc and _is_public(call, e) for e in _ec2(call).enis.values()):
        raise _dependency_violation(
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es)"
            " before detaching the gateway."
        )


def _is_public(call: Call, interface: Any) -> bool:
    """Return whether an interface has a public address."""
    mapped = any(address.eni is interface for address in _ec2(call).addresses)
    return mapped or bool(interface.public_ip)


@behaviours.before("ec2", "ReleaseAddress")
def release_address(call: Call) -> None:
    """Refuse to release an address in use; the error differs while its NAT gateway is being deleted."""
    ec2 = _ec2(call)
    for address in ec2.addresses:
        if address.allocation_id != call.params.get("AllocationId") or address.eni is None:
            continue
        going = [nat for nat in ec2.nat_gateways.values() if nat._eni is address.eni]
        if any(nat.state == "deleting" for nat in going):
            raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
        raise AwsError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


@behaviours.before("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> None:
    """Refuse to delete a VPC that has more than its default resources (botocore ServiceModel, DeleteVpc)."""
    ec2, vpc = _ec2(call), call.params["VpcId"]
    inside = (
        any(gateway.vpc and gateway.vpc.id == vpc for gateway in ec2.internet_gateways.values())
        or any(interface.vpc_id == vpc for interface in ec2.enis.values())
        or any(endpoint.vpc_id == vpc for endpoint in ec2.vpc_end_points.values())
        or any(group.vpc_id == vpc and group.name != "default" for group in _groups(ec2))
        or _has_attachments(ec2, vpc)
    )
    if inside:
        raise _dependency_violation(f"The vpc '{vpc}' has dependencies and cannot be deleted.")


def _has_attachments(ec2: Any, vpc: str) -> bool:
    """Return whether other gateways, ACLs, peerings or attachments use the VPC.

    Sources: gruntwork-io/cloud-nuke#345, #584; for peering, hashicorp/terraform-provider-aws#3118.
    """
    peerings = (each for each in ec2.vpc_pcxs.values() if each._status.code in _PEERED)
    attachments = ec2.transit_gateway_attachments.values()
    return (
        any(acl.vpc_id == vpc and not acl.default for acl in ec2.network_acls.values())
        or any(each.vpc_id == vpc for each in ec2.egress_only_internet_gateways.values())
        or any(each.vpc_id == vpc for each in ec2.carrier_gateways.values())
        or any(vpc in (each.vpc.id, each.peer_vpc.id) for each in peerings)
        or any(each.resource_id == vpc and each.state == "available" for each in attachments)
    )


@behaviours.before("ec2", "ModifyVpcAttribute")
def one_vpc_attribute(call: Call) -> None:
    """Refuse more than one attribute in a call: AWS doc, API_ModifyVpcAttribute."""
    if sum(name not in ("VpcId", "DryRun") for name in call.params) > 1:
        raise AwsError("InvalidParameterCombination", "Only one attribute can be modified at a time.")


@behaviours.before("ec2", "ModifySubnetAttribute")
def one_subnet_attribute(call: Call) -> None:
    """Refuse more than one attribute in a call: AWS doc, API_ModifySubnetAttribute."""
    if sum(name not in ("SubnetId", "DryRun") for name in call.params) > 1:
        raise AwsError("InvalidParameterCombination", "Only one attribute can be modified at a time.")
