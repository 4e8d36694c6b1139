"""VPC origins of CloudFront: they take minutes, and have interfaces and a security group in the VPC."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.behaviours.interfaces import InterfaceOwner, held_by, hold
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.cloudfront_vpc_origins import Origin, balancer_of, delete, one_of, origins
from provisioner.emulator.wire import AccountRegion, Call

# Seconds; up to 15 minutes for each (terraform-provider-aws cloudfront/vpc_origin.go).
DEPLOY = DELETE = 240.0
# CloudFront developer guide, private-content-vpc-origins; CloudFront deletes the group with the last origin
# of a VPC (aws/aws-cdk#33318).
GROUP = "CloudFront-VPCOrigins-Service-SG"


@behaviours.after("cloudfront", "CreateVpcOrigin")
def create(call: Call, reply: Reply) -> None:
    """Start deploying, with an interface in each of the load balancer's subnets and a group in its VPC."""
    made = origins(call.account)[reply["VpcOrigin"]["Id"]]
    made.status = reply["VpcOrigin"]["Status"] = "Deploying"
    balancer, place = balancer_of(call, made.config["Arn"]), _place(call, made)
    group = _group(place, balancer.vpc_id)
    for subnet in balancer.subnets:
        hold(place, subnet.id, [group], InterfaceOwner("amazon-cloudfront", _described(made)))
    clock.later(DEPLOY, partial(setattr, made, "status", "Deployed"))


def _place(call: Call, one: Origin) -> AccountRegion:
    """Return the account and region of the origin's load balancer."""
    return AccountRegion(call.account, one.config["Arn"].split(":")[3])


def _described(one: Origin) -> str:
    """Return the description of the interfaces of an origin."""
    return f"CloudFront VPC origin {one.id}"


def _groups(place: AccountRegion, vpc: str) -> dict[str, Any]:
    """Return CloudFront's security groups in a VPC by id."""
    groups = backend("ec2", place.account, place.region).groups
    return {group.id: group for group in groups[vpc].values() if group.name == GROUP}


def _group(place: AccountRegion, vpc: str) -> str:
    """Return the id of CloudFront's security group in a VPC; create it for the first origin."""
    for name in _groups(place, vpc):
        return name
    asked = {"GroupName": GROUP, "Description": "Managed by CloudFront", "VpcId": vpc}
    return str(ask_moto(place, "ec2", "CreateSecurityGroup", **asked)["GroupId"])


@behaviours.before("cloudfront", "DeleteVpcOrigin")
def end(call: Call) -> None:
    """Start the deletion of a deployed origin; its status is Deploying until it is gone.

    Raises:
        Answered: The deletion has started.
        AwsError: IllegalDelete.

    """
    found = one_of(call)
    if found.status != "Deployed":
        raise AwsError("IllegalDelete", "You cannot delete the VPC origin while it is deploying.", 400)
    told = delete(call) or {}
    origins(call.account)[found.id] = found
    found.status = told["VpcOrigin"]["Status"] = "Deploying"
    clock.later(DELETE, partial(_gone, _place(call, found), found))
    raise Answered(told)


def _gone(place: AccountRegion, one: Origin) -> None:
    """Delete the origin and its interfaces; delete the security group as well if no interface uses it."""
    origins(one.account).pop(one.id, None)
    ec2 = backend("ec2", place.account, place.region)
    left = [ec2.enis.pop(name) for name in held_by(place, _described(one))]
    for name, group in _groups(place, left[0].vpc_id).items() if left else ():
        if not any(group in interface._group_set for interface in ec2.enis.values()):
            ask_moto(place, "ec2", "DeleteSecurityGroup", GroupId=name)
