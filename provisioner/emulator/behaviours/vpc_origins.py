"""VPC origins of CloudFront: they take minutes, and have interfaces and a security group in the VPC."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.behaviours.interfaces import InterfaceOwner, create_interface, interfaces_with_description
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.cloudfront_vpc_origins import Origin, balancer_of, delete, named_origin, origins
from provisioner.emulator.wire import AccountRegion, Call

# Seconds; up to 15 minutes for each (terraform-provider-aws cloudfront/vpc_origin.go).
DEPLOY = DELETE = 240.0
# CloudFront developer guide, private-content-vpc-origins; CloudFront deletes the group with the last origin
# of a VPC (aws/aws-cdk#33318).
GROUP = "CloudFront-VPCOrigins-Service-SG"


@behaviours.after("cloudfront", "CreateVpcOrigin")
def create(call: Call, reply: Reply) -> None:
    """Start deploying, with an interface in each of the load balancer's subnets and a group in its VPC."""
    origin = origins(call.account)[reply["VpcOrigin"]["Id"]]
    origin.status = reply["VpcOrigin"]["Status"] = "Deploying"
    balancer, place = balancer_of(call, origin.config["Arn"]), _balancer_place(call, origin)
    group = _security_group(place, balancer.vpc_id)
    for subnet in balancer.subnets:
        create_interface(place, subnet.id, [group], InterfaceOwner("amazon-cloudfront", _description(origin)))
    clock.later(DEPLOY, partial(setattr, origin, "status", "Deployed"))


def _balancer_place(call: Call, origin: Origin) -> AccountRegion:
    """Return the account and region of the origin's load balancer."""
    return AccountRegion(call.account, origin.config["Arn"].split(":")[3])


def _description(origin: Origin) -> str:
    """Return the description of the interfaces of an origin."""
    return f"CloudFront VPC origin {origin.id}"


def _security_groups(place: AccountRegion, vpc: str) -> dict[str, Any]:
    """Return CloudFront's security groups in a VPC by id."""
    groups = backend("ec2", place.account, place.region).groups
    return {group.id: group for group in groups[vpc].values() if group.name == GROUP}


def _security_group(place: AccountRegion, vpc: str) -> str:
    """Return the id of CloudFront's security group in a VPC; create it for the first origin."""
    for name in _security_groups(place, vpc):
        return name
    request = {"GroupName": GROUP, "Description": "Managed by CloudFront", "VpcId": vpc}
    return str(ask_moto(place, "ec2", "CreateSecurityGroup", **request)["GroupId"])


@behaviours.before("cloudfront", "DeleteVpcOrigin")
def delete_deployed(call: Call) -> None:
    """Start the deletion of a deployed origin; its status is Deploying until it is gone.

    Raises:
        Answered: The deletion has started.
        AwsError: IllegalDelete.

    """
    origin = named_origin(call)
    if origin.status != "Deployed":
        raise AwsError("IllegalDelete", "You cannot delete the VPC origin while it is deploying.", 400)
    reply = delete(call) or {}
    origins(call.account)[origin.id] = origin
    origin.status = reply["VpcOrigin"]["Status"] = "Deploying"
    clock.later(DELETE, partial(_complete_deletion, _balancer_place(call, origin), origin))
    raise Answered(reply)


def _complete_deletion(place: AccountRegion, origin: Origin) -> None:
    """Delete the origin and its interfaces; delete the security group as well if no interface uses it."""
    origins(origin.account).pop(origin.id, None)
    ec2 = backend("ec2", place.account, place.region)
    interfaces = [ec2.enis.pop(name) for name in interfaces_with_description(place, _description(origin))]
    for name, group in _security_groups(place, interfaces[0].vpc_id).items() if interfaces else ():
        if not any(group in interface._group_set for interface in ec2.enis.values()):
            ask_moto(place, "ec2", "DeleteSecurityGroup", GroupId=name)
