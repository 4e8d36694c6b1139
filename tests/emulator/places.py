"""Networks that tests of several services stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.emulator.conftest import Client


@dataclass(frozen=True)
class Network:
    """A VPC with a way to the internet, subnets in two zones, and a group."""

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
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    table = ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    inside = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[inside])
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


def definition(aws: Client, **given: Any) -> str:
    """Register a task definition of one container that serves port 80."""
    container = {"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]}
    made = aws("ecs").register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container | given],
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def behind_balancer(aws: Client, place: Network) -> str:
    """Make a load balancer that forwards to a target group; return the group."""
    group = target_group(aws, place)
    listener(aws, balancer(aws, place)["LoadBalancerArn"], group)
    return group


def service(aws: Client, place: Network, **given: Any) -> Any:
    """Make a cluster and a service in it."""
    aws("ecs").create_cluster(clusterName="c", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    vpc = {"subnets": place.subnets, "securityGroups": [place.group], "assignPublicIp": "ENABLED"}
    params = {
        "cluster": "c",
        "serviceName": "s",
        "desiredCount": 2,
        "networkConfiguration": {"awsvpcConfiguration": vpc},
        "launchType": "FARGATE",
    }
    params |= given
    if "taskDefinition" not in params:
        params["taskDefinition"] = definition(aws)
    return aws("ecs").create_service(**params)["service"]


def through(group: str, port: int = 80) -> dict[str, Any]:
    """Say that a service's tasks are reached through a target group."""
    balancer = {"targetGroupArn": group, "containerName": "web", "containerPort": port}
    return {"loadBalancers": [balancer]}


def breaker(*, rollback: bool) -> dict[str, Any]:
    """Ask for a circuit breaker."""
    return {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": rollback}}}
