"""Load balancers: creation and the release of their network interfaces take minutes."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.behaviours.interfaces import (
    InterfaceOwner,
    create_interface,
    delete_interfaces_later,
    interfaces_with_description,
    set_groups,
)
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

# Seconds. go-to-k/cdkd elbv2-provider.ts: creation takes 90 to 180 s. After the deletion, the interfaces
# exist for minutes (terraform-provider-aws elbv2/load_balancer.go waits for them) and the name for a moment.
CREATE, LINGER, NAME = 135.0, 180.0, 10.0

_names: AccountStore[str] = AccountStore()


def _balancers(call: Call) -> dict[str, Any]:
    """Return moto's load balancers by ARN."""
    balancers: dict[str, Any] = backend("elbv2", call.account, call.region).load_balancers
    return balancers


def _description(arn: str) -> str:
    """Return the description of the network interfaces of a load balancer."""
    return "ELB " + arn.partition(":loadbalancer/")[2]


@behaviours.before("elbv2", "CreateLoadBalancer")
def check_new_balancer(call: Call) -> None:
    """Refuse a name that was just released, and a public load balancer in a VPC without internet gateway.

    Raises:
        AwsError: DuplicateLoadBalancerName or InvalidSubnet.

    """
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


@behaviours.after("elbv2", "CreateLoadBalancer")
def create(call: Call, reply: Reply) -> None:
    """Start provisioning a new load balancer, with an interface in every subnet; skip an existing one."""
    arn = reply["LoadBalancers"][0]["LoadBalancerArn"]
    balancer = _balancers(call)[arn]
    if interfaces_with_description(call, _description(arn)):
        return
    holder = InterfaceOwner("amazon-elb", _description(arn), public=balancer.scheme == "internet-facing")
    for subnet in balancer.subnets:
        create_interface(call.place, subnet.id, balancer.security_groups or [], holder)
    # moto would make it active at the first read
    balancer.activate = lambda: None
    balancer.state = "provisioning"
    clock.later(CREATE, partial(setattr, balancer, "state", "active"))


@behaviours.after("elbv2", "SetSecurityGroups")
def set_security_groups(call: Call, _: Reply) -> None:
    """Set the new security groups on the load balancer's interfaces."""
    interfaces = interfaces_with_description(call, _description(call.params["LoadBalancerArn"]))
    set_groups(call, interfaces, call.params["SecurityGroups"])


@behaviours.after("elbv2", "SetSubnets")
def set_subnets(call: Call, _: Reply) -> None:
    """Create interfaces in added subnets at once, and delete those in removed subnets after a while."""
    arn = call.params["LoadBalancerArn"]
    balancer, enis = _balancers(call)[arn], backend("ec2", call.account, call.region).enis
    interfaces_by_subnet = {enis[name].subnet_id: name for name in interfaces_with_description(call, _description(arn))}
    subnet_ids = {subnet.id for subnet in balancer.subnets}
    delete_interfaces_later(
        call.place, [name for subnet, name in interfaces_by_subnet.items() if subnet not in subnet_ids], LINGER
    )
    holder = InterfaceOwner("amazon-elb", _description(arn), public=balancer.scheme == "internet-facing")
    for subnet in sorted(subnet_ids - interfaces_by_subnet.keys()):
        create_interface(call.place, subnet, balancer.security_groups or [], holder)


@behaviours.before("elbv2", "DeleteLoadBalancer")
def delete(call: Call) -> None:
    """Refuse to delete a protected load balancer; else release its interfaces and name after a while.

    Raises:
        AwsError: OperationNotPermitted (botocore ServiceModel).

    """
    arn = call.params["LoadBalancerArn"]
    balancer = _balancers(call).get(arn)
    if balancer is None:
        return
    if balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise AwsError("OperationNotPermitted", message)
    delete_interfaces_later(call.place, interfaces_with_description(call, _description(arn)), LINGER)
    _names.of(call)[balancer.name] = arn
    clock.later(NAME, partial(_names.of(call).pop, balancer.name, None))


@behaviours.before("elbv2", "ModifyLoadBalancerAttributes")
def check_log_bucket(call: Call) -> None:
    """Refuse access logs to a bucket that does not exist or has no policy: aws/aws-cdk#21947, #5758.

    Raises:
        AwsError: InvalidConfigurationRequest.

    """
    attributes = {attribute["Key"]: attribute["Value"] for attribute in call.params["Attributes"]}
    bucket = attributes.get("access_logs.s3.bucket", "")
    if attributes.get("access_logs.s3.enabled") != "true":
        return
    log_bucket = backend("s3", call.account, "aws").buckets.get(bucket)
    if log_bucket is None or not log_bucket.policy:
        message = f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
        raise AwsError("InvalidConfigurationRequest", message)
