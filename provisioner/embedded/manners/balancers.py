"""Load balancers take minutes to come, and their interfaces minutes to go."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.embedded.answers import AwsError, Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.hooks import manners
from provisioner.embedded.inner import backend
from provisioner.embedded.manners.interfaces import Holder, held_by, hold, let_go, regroup
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call

# go-to-k/cdkd elbv2-provider.ts: 90 to 180 s to come; interfaces linger for minutes
# (terraform-provider-aws elbv2/load_balancer.go waits for them), the name for a moment.
CREATE, LINGER, NAME = 135.0, 180.0, 10.0

_names: Shelf[str] = Shelf()


def _balancers(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = backend("elbv2", call.account, call.region).load_balancers
    return found


def _description(arn: str) -> str:
    return "ELB " + arn.partition(":loadbalancer/")[2]


@manners.before("elbv2", "CreateLoadBalancer")
def check(call: Call) -> None:
    """Refuse a name just given up, and the internet without a gateway to it."""
    name = call.params["Name"]
    if name in _names.of(call):
        message = f"A load balancer with the same name '{name}' exists, but with different settings"
        raise AwsError("DuplicateLoadBalancerName", message)
    ec2 = backend("ec2", call.account, call.region)
    reached = {gateway.vpc.id for gateway in ec2.internet_gateways.values() if gateway.vpc}
    if call.params.get("Scheme") == "internal":
        return
    for zone in ec2.subnets.values():
        for subnet in call.params.get("Subnets", []):
            if subnet in zone and zone[subnet].vpc_id not in reached:
                raise AwsError("InvalidSubnet", f"VPC {zone[subnet].vpc_id} has no internet gateway")


@manners.after("elbv2", "CreateLoadBalancer")
def create(call: Call, reply: Reply) -> None:
    """Begin provisioning, with an interface in every subnet; an old one of that name is left alone."""
    arn = reply["LoadBalancers"][0]["LoadBalancerArn"]
    balancer = _balancers(call)[arn]
    if held_by(call, _description(arn)):
        return
    holder = Holder("amazon-elb", _description(arn), public=balancer.scheme == "internet-facing")
    for subnet in balancer.subnets:
        hold(call.place, subnet.id, balancer.security_groups or [], holder)
    # moto makes it active when it is first looked at
    balancer.activate = lambda: None
    balancer.state = "provisioning"
    clock.later(CREATE, partial(setattr, balancer, "state", "active"))


@manners.after("elbv2", "SetSecurityGroups")
def regrouped(call: Call, _: Reply) -> None:
    """Carry the groups to the interfaces."""
    interfaces = held_by(call, _description(call.params["LoadBalancerArn"]))
    regroup(call, interfaces, call.params["SecurityGroups"])


@manners.after("elbv2", "SetSubnets")
def resettled(call: Call, _: Reply) -> None:
    """Leave the subnets that were taken away, in its time, and be at once in those that were added."""
    arn = call.params["LoadBalancerArn"]
    balancer, enis = _balancers(call)[arn], backend("ec2", call.account, call.region).enis
    held = {enis[name].subnet_id: name for name in held_by(call, _description(arn))}
    kept = {subnet.id for subnet in balancer.subnets}
    let_go(call.place, [name for subnet, name in held.items() if subnet not in kept], LINGER)
    holder = Holder("amazon-elb", _description(arn), public=balancer.scheme == "internet-facing")
    for subnet in sorted(kept - held.keys()):
        hold(call.place, subnet, balancer.security_groups or [], holder)


@manners.before("elbv2", "DeleteLoadBalancer")
def delete(call: Call) -> None:
    """Refuse a protected one (botocore ServiceModel, OperationNotPermitted); let the rest go in its time."""
    arn = call.params["LoadBalancerArn"]
    balancer = _balancers(call).get(arn)
    if balancer is None:
        return
    if balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise AwsError("OperationNotPermitted", message)
    let_go(call.place, held_by(call, _description(arn)), LINGER)
    _names.of(call)[balancer.name] = arn
    clock.later(NAME, partial(_names.of(call).pop, balancer.name, None))


@manners.before("elbv2", "ModifyLoadBalancerAttributes")
def log_bucket(call: Call) -> None:
    """Want a bucket whose policy lets the logs in: aws/aws-cdk#21947, #5758."""
    told = {attribute["Key"]: attribute["Value"] for attribute in call.params["Attributes"]}
    bucket = told.get("access_logs.s3.bucket", "")
    if told.get("access_logs.s3.enabled") != "true":
        return
    there = backend("s3", call.account, "aws").buckets.get(bucket)
    if there is None or not there.policy:
        message = f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
        raise AwsError("InvalidConfigurationRequest", message)
