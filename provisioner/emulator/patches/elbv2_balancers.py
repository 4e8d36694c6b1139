"""Load balancers: unique names, repeated creates that return the existing one, and default attributes."""

from __future__ import annotations

import re
from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

NAME = re.compile(r"(?!internal-)(?!-)(?!.*-$)[A-Za-z0-9-]{1,32}")
# AWS doc, Application Load Balancers: load balancer attributes.
ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


def balancers(call: Call) -> dict[str, Any]:
    """Return moto's load balancers by ARN."""
    by_arn: dict[str, Any] = backend("elbv2", call.account, call.region).load_balancers
    return by_arn


@always.before("elbv2", "CreateLoadBalancer")
def create(call: Call) -> Reply | None:
    """Create a load balancer, or return the one of that name if its settings are the same.

    Other settings under a taken name are refused (botocore ServiceModel), and so are an invalid name and, for
    an Application Load Balancer, fewer than two zones.
    """
    params = call.params
    name = params["Name"]
    if not NAME.fullmatch(name):
        raise AwsError("ValidationError", f"Load balancer name '{name}' is not valid")
    subnets = _subnets(call)
    request = params | {"Scheme": params.get("Scheme", "internet-facing")}
    if params.get("Type", "application") == "application":
        request["SecurityGroups"] = _groups(call, subnets[0].vpc_id)
        if len({subnet.availability_zone for subnet in subnets}) < 2:  # noqa: PLR2004  # zones
            message = "At least two subnets in two different Availability Zones must be specified"
            raise AwsError("ValidationError", message)
    for balancer in balancers(call).values():
        if balancer.name == name:
            return _existing_balancer(call, balancer, request, {subnet.id for subnet in subnets})
    return ask_moto(call, "elbv2", "CreateLoadBalancer", **request)


def _subnets(call: Call) -> list[Any]:
    """Return moto's subnets that a call names; refuse unknown ones."""
    mapped = [mapping["SubnetId"] for mapping in call.params.get("SubnetMappings", [])]
    all_subnets = {name: s for zone in _ec2(call).subnets.values() for name, s in zone.items()}
    subnet_ids = call.params.get("Subnets", []) + mapped
    for name in subnet_ids:
        if name not in all_subnets:
            raise AwsError("SubnetNotFound", f"The subnet ID '{name}' is not valid")
    return [all_subnets[name] for name in subnet_ids]


def _groups(call: Call, vpc: str) -> list[str]:
    """Return the security groups of a call, by default the VPC's default group; refuse unknown ones."""
    groups: list[str] = call.params.get("SecurityGroups", [])
    for group in groups:
        if _ec2(call).get_security_group_from_id(group) is None:
            raise AwsError("InvalidSecurityGroup", f"The security group '{group}' does not exist")
    return groups or [_ec2(call).get_default_security_group(vpc).id]


def _ec2(call: Call) -> Any:
    """Return moto's EC2 state of the call's account and region."""
    return backend("ec2", call.account, call.region)


def _existing_balancer(call: Call, balancer: Any, request: dict[str, Any], subnets: set[str]) -> Reply:
    """Return the existing load balancer if its settings are those of the call; refuse if they differ."""
    is_same = (
        {subnet.id for subnet in balancer.subnets} == subnets
        and set(balancer.security_groups or []) == set(request.get("SecurityGroups", []))
        and balancer.scheme == request["Scheme"]
        and balancer.type == request.get("Type", "application")
        and balancer.ip_address_type == request.get("IpAddressType", "ipv4")
    )
    if not is_same:
        message = f"A load balancer with the same name '{request['Name']}' exists, but with different settings"
        raise AwsError("DuplicateLoadBalancerName", message)
    described = ask_moto(call, "elbv2", "DescribeLoadBalancers", LoadBalancerArns=[balancer.arn])
    return {"LoadBalancers": described["LoadBalancers"]}


@always.after("elbv2", "DescribeLoadBalancerAttributes")
def add_default_attributes(call: Call, reply: Reply) -> None:
    """Add the defaults of attributes of an Application Load Balancer that were never set."""
    arn = call.params["LoadBalancerArn"]
    if balancers(call)[arn].type == "application":
        set_attributes = {attribute["Key"]: attribute["Value"] for attribute in reply["Attributes"]}
        reply["Attributes"] = [{"Key": k, "Value": v} for k, v in (ATTRIBUTES | set_attributes).items()]


@always.before("elbv2", "DescribeTags")
def refuse_unknown_arn(call: Call) -> None:
    """Refuse an ARN that no resource has; moto answers with no tags."""
    elb = backend("elbv2", call.account, call.region)
    listeners = {arn: listener for b in balancers(call).values() for arn, listener in b.listeners.items()}
    collections = {
        "loadbalancer": (balancers(call), "LoadBalancerNotFound"),
        "targetgroup": (elb.target_groups, "TargetGroupNotFound"),
        "listener": (listeners, "ListenerNotFound"),
    }
    for arn in call.params["ResourceArns"]:
        existing, code = collections.get(arn.split(":")[-1].split("/")[0], ({arn: None}, ""))
        if arn not in existing:
            raise AwsError(code, f"'{arn}' not found")
