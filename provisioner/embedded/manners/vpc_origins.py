"""A VPC origin takes minutes to come and to go, and holds interfaces and a group of its own in the VPC."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.embedded.answers import Answered, AwsError, Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.corrections.cloudfront_vpc_origins import (
    Origin,
    balancer_of,
    delete,
    one_of,
    origins,
)
from provisioner.embedded.hooks import manners
from provisioner.embedded.inner import backend, do
from provisioner.embedded.manners.interfaces import Holder, held_by, hold
from provisioner.embedded.wire import Call, Place

# Up to 15 minutes each way (terraform-provider-aws cloudfront/vpc_origin.go).
DEPLOY = DELETE = 240.0
# CloudFront developer guide, private-content-vpc-origins; it goes with the last of a VPC (aws/aws-cdk#33318).
GROUP = "CloudFront-VPCOrigins-Service-SG"


@manners.after("cloudfront", "CreateVpcOrigin")
def create(call: Call, reply: Reply) -> None:
    """Begin deploying: an interface in each of the balancer's subnets, a group in its VPC."""
    made = origins(call.account)[reply["VpcOrigin"]["Id"]]
    made.status = reply["VpcOrigin"]["Status"] = "Deploying"
    balancer, place = balancer_of(call, made.config["Arn"]), _place(call, made)
    group = _group(place, balancer.vpc_id)
    for subnet in balancer.subnets:
        hold(place, subnet.id, [group], Holder("amazon-cloudfront", _described(made)))
    clock.later(DEPLOY, partial(setattr, made, "status", "Deployed"))


def _place(call: Call, one: Origin) -> Place:
    return Place(call.account, one.config["Arn"].split(":")[3])


def _described(one: Origin) -> str:
    return f"CloudFront VPC origin {one.id}"


def _groups(place: Place, vpc: str) -> dict[str, Any]:
    groups = backend("ec2", place.account, place.region).groups
    return {group.id: group for group in groups[vpc].values() if group.name == GROUP}


def _group(place: Place, vpc: str) -> str:
    """The group of a VPC's origins, made with the first."""
    for name in _groups(place, vpc):
        return name
    asked = {"GroupName": GROUP, "Description": "Managed by CloudFront", "VpcId": vpc}
    return str(do(place, "ec2", "CreateSecurityGroup", **asked)["GroupId"])


@manners.before("cloudfront", "DeleteVpcOrigin")
def end(call: Call) -> None:
    """Begin the end of one that is deployed; it is told as deploying until it is gone."""
    found = one_of(call)
    if found.status != "Deployed":
        raise AwsError("IllegalDelete", "You cannot delete the VPC origin while it is deploying.", 400)
    told = delete(call) or {}
    origins(call.account)[found.id] = found
    found.status = told["VpcOrigin"]["Status"] = "Deploying"
    clock.later(DELETE, partial(_gone, _place(call, found), found))
    raise Answered(told)


def _gone(place: Place, one: Origin) -> None:
    """Take it away, what it held in the VPC, and with the last one there the group."""
    origins(one.account).pop(one.id, None)
    ec2 = backend("ec2", place.account, place.region)
    left = [ec2.enis.pop(name) for name in held_by(place, _described(one))]
    for name, group in _groups(place, left[0].vpc_id).items() if left else ():
        if not any(group in interface._group_set for interface in ec2.enis.values()):
            do(place, "ec2", "DeleteSecurityGroup", GroupId=name)
