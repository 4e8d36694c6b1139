"""Networks that tests of several services stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.embedded.conftest import Client


@dataclass(frozen=True)
class Network:
    """A VPC with an internet gateway, subnets in two zones, and a group."""

    vpc: str
    gateway: str
    subnets: list[str]
    group: str


def network(aws: Client) -> Network:
    """Make one."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    return Network(vpc, gateway, [s["Subnet"]["SubnetId"] for s in subnets], group)


def balancer(aws: Client, place: Network, **given: Any) -> Any:
    """Make a load balancer."""
    params = {"Name": "lb", "Subnets": place.subnets, "SecurityGroups": [place.group]}
    return aws("elbv2").create_load_balancer(**params | given)["LoadBalancers"][0]


def target_group(aws: Client, place: Network, **given: Any) -> str:
    """Make a target group for tasks."""
    params = {"Name": "tg", "Protocol": "HTTP", "Port": 80, "VpcId": place.vpc, "TargetType": "ip"}
    made = aws("elbv2").create_target_group(**params | given)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def listener(aws: Client, balancer_arn: str, group_arn: str, **given: Any) -> Any:
    """Make a listener that forwards to a group."""
    action = {"Type": "forward", "TargetGroupArn": group_arn}
    params = {"LoadBalancerArn": balancer_arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": [action]}
    return aws("elbv2").create_listener(**params | given)["Listeners"][0]
