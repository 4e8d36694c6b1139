"""A network that takes its time and refuses while something stands on it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client, code_of
from tests.emulator.places import Network, balancer, behind_balancer, network


def refused(code: str, method: Any, **params: Any) -> None:
    with pytest.raises(ClientError) as caught:
        method(**params)
    assert code_of(caught) == code


def nat(aws: Client, place: Network) -> tuple[str, str]:
    allocation = aws("ec2").allocate_address(Domain="vpc")["AllocationId"]
    made = aws("ec2").create_nat_gateway(SubnetId=place.subnets[0], AllocationId=allocation)
    assert made["NatGateway"]["State"] == "pending"
    return made["NatGateway"]["NatGatewayId"], allocation


def nat_state(aws: Client, name: str) -> str:
    found = aws("ec2").describe_nat_gateways(NatGatewayIds=[name])
    return str(found["NatGateways"][0]["State"])


def interfaces(aws: Client, **filters: str) -> list[Any]:
    wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    return list(aws("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"])


def test_a_nat_gateway_takes_its_time(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    place = network(aws_at_real_speed)
    name, allocation = nat(aws_at_real_speed, place)
    held = interfaces(aws_at_real_speed, description=f"Interface for NAT Gateway {name}")
    assert (held[0]["InterfaceType"], held[0]["RequesterManaged"]) == ("nat_gateway", True)
    assert nat_state(aws_at_real_speed, name) == "pending"
    emulator_server.advance(101)
    assert nat_state(aws_at_real_speed, name) == "available"
    refused("InvalidIPAddress.InUse", aws_at_real_speed("ec2").release_address, AllocationId=allocation)
    aws_at_real_speed("ec2").delete_nat_gateway(NatGatewayId=name)
    assert nat_state(aws_at_real_speed, name) == "deleting"
    refused("AuthFailure", aws_at_real_speed("ec2").release_address, AllocationId=allocation)
    detach = {"InternetGatewayId": place.gateway, "VpcId": place.vpc}
    refused("DependencyViolation", aws_at_real_speed("ec2").detach_internet_gateway, **detach)
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_subnet, SubnetId=place.subnets[0])
    emulator_server.advance(56)
    assert nat_state(aws_at_real_speed, name) == "deleted"
    aws_at_real_speed("ec2").release_address(AllocationId=allocation)
    aws_at_real_speed("ec2").detach_internet_gateway(**detach)
    aws_at_real_speed("ec2").delete_subnet(SubnetId=place.subnets[0])
    emulator_server.advance(3601)
    refused("NatGatewayNotFound", aws_at_real_speed("ec2").describe_nat_gateways, NatGatewayIds=[name])


def test_a_nat_gateway_without_a_way_out_fails(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    place = network(aws_at_real_speed)
    aws_at_real_speed("ec2").detach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    name, allocation = nat(aws_at_real_speed, place)
    emulator_server.advance(31)
    found = aws_at_real_speed("ec2").describe_nat_gateways(NatGatewayIds=[name])["NatGateways"][0]
    assert (found["State"], found["FailureCode"]) == ("failed", "Gateway.NotAttached")
    aws_at_real_speed("ec2").release_address(AllocationId=allocation)


def test_at_pace_nothing_is_slow_but_all_is_seen(aws_with_behaviours: Client) -> None:
    name, _ = nat(aws_with_behaviours, network(aws_with_behaviours))
    assert nat_state(aws_with_behaviours, name) == "available"
    aws_with_behaviours("ec2").delete_nat_gateway(NatGatewayId=name)
    assert nat_state(aws_with_behaviours, name) == "deleted"


def test_an_interface_endpoint_takes_its_time(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    place = network(aws_at_real_speed)
    made = aws_at_real_speed("ec2").create_vpc_endpoint(
        VpcId=place.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.ecr.api",
        SubnetIds=place.subnets,
        SecurityGroupIds=[place.group],
    )["VpcEndpoint"]
    name = made["VpcEndpointId"]
    assert made["State"] == "pending"
    assert len(interfaces(aws_at_real_speed, interface_type="vpc_endpoint")) == 2
    emulator_server.advance(91)
    assert aws_at_real_speed("ec2").describe_vpc_endpoints()["VpcEndpoints"][0]["State"] == "available"
    assert aws_at_real_speed("ec2").delete_vpc_endpoints(VpcEndpointIds=[name])["Unsuccessful"] == []
    assert aws_at_real_speed("ec2").describe_vpc_endpoints()["VpcEndpoints"][0]["State"] == "deleting"
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_security_group, GroupId=place.group)
    emulator_server.advance(61)
    assert aws_at_real_speed("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []
    aws_at_real_speed("ec2").delete_security_group(GroupId=place.group)


def test_groups_that_name_each_other_stay(aws_with_behaviours: Client) -> None:
    ec2, place = aws_with_behaviours("ec2"), network(aws_with_behaviours)
    other = ec2.create_security_group(GroupName="o", Description="d", VpcId=place.vpc)["GroupId"]
    for one, two in ((place.group, other), (other, place.group)):
        source = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": two}]}]
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=source)
    refused("DependencyViolation", ec2.delete_security_group, GroupId=other)
    ec2.revoke_security_group_ingress(
        GroupId=place.group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}]
    )
    ec2.delete_security_group(GroupId=other)


def test_the_default_group_is_not_the_users_to_delete(aws_with_behaviours: Client) -> None:
    place = network(aws_with_behaviours)
    mine = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    group = aws_with_behaviours("ec2").describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]
    refused("CannotDelete", aws_with_behaviours("ec2").delete_security_group, GroupId=group)


def test_a_vpc_goes_last(aws_with_behaviours: Client) -> None:
    ec2, place = aws_with_behaviours("ec2"), network(aws_with_behaviours)
    for subnet in place.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=place.vpc)
    ec2.detach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=place.vpc)
    ec2.delete_security_group(GroupId=place.group)
    of_vpc = [{"Name": "vpc-id", "Values": [place.vpc]}]
    assert ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"]
    ec2.create_tags(Resources=[place.vpc], Tags=[{"Key": "Name", "Value": "v"}])
    tags = {"Filters": [{"Name": "resource-id", "Values": [place.vpc]}]}
    assert ec2.describe_tags(**tags)["Tags"]
    ec2.delete_vpc(VpcId=place.vpc)
    assert ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"] == []
    assert ec2.describe_tags(**tags)["Tags"] == []


def test_one_attribute_a_call(aws_with_behaviours: Client) -> None:
    place, on = network(aws_with_behaviours), {"Value": True}
    both = {"EnableDnsSupport": on, "EnableDnsHostnames": on}
    refused("InvalidParameterCombination", aws_with_behaviours("ec2").modify_vpc_attribute, VpcId=place.vpc, **both)
    aws_with_behaviours("ec2").modify_vpc_attribute(VpcId=place.vpc, EnableDnsHostnames=on)


def test_a_balancer_takes_its_time_and_lingers(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    place = network(aws_at_real_speed)
    arn = balancer(aws_at_real_speed, place)["LoadBalancerArn"]
    held = interfaces(aws_at_real_speed, description=f"ELB app/lb/{arn.rpartition('/')[2]}")
    assert len(held) == 2
    assert held[0]["RequesterId"] == "amazon-elb"
    assert held[0]["Status"] == "in-use"
    assert held[0]["Association"]["PublicIp"]
    elb = aws_at_real_speed("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    emulator_server.advance(136)
    assert elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "active"
    assert balancer(aws_at_real_speed, place)["LoadBalancerArn"] == arn
    assert len(interfaces(aws_at_real_speed, requester_id="amazon-elb")) == 2
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    refused("OperationNotPermitted", elb.delete_load_balancer, LoadBalancerArn=arn)
    protect[0]["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    with pytest.raises(ClientError) as caught:
        balancer(aws_at_real_speed, place)
    assert code_of(caught) == "DuplicateLoadBalancerName"
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_security_group, GroupId=place.group)
    detach = {"InternetGatewayId": place.gateway, "VpcId": place.vpc}
    refused("DependencyViolation", aws_at_real_speed("ec2").detach_internet_gateway, **detach)
    emulator_server.advance(181)
    aws_at_real_speed("ec2").delete_security_group(GroupId=place.group)
    aws_at_real_speed("ec2").detach_internet_gateway(**detach)


def test_a_balancer_leaves_a_subnet_and_moves_into_another(
    aws_at_real_speed: Client, emulator_server: LocalAws
) -> None:
    place = network(aws_at_real_speed)
    added = aws_at_real_speed("ec2").create_subnet(
        VpcId=place.vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1c"
    )["Subnet"]["SubnetId"]
    arn = balancer(aws_at_real_speed, place)["LoadBalancerArn"]

    aws_at_real_speed("elbv2").set_subnets(LoadBalancerArn=arn, Subnets=[place.subnets[0], added])

    assert {one["SubnetId"] for one in interfaces(aws_at_real_speed)} == {*place.subnets, added}
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_subnet, SubnetId=place.subnets[1])
    emulator_server.advance(181)
    aws_at_real_speed("ec2").delete_subnet(SubnetId=place.subnets[1])


def test_a_public_balancer_needs_the_internet(aws_with_behaviours: Client) -> None:
    place = network(aws_with_behaviours)
    aws_with_behaviours("ec2").detach_internet_gateway(InternetGatewayId=place.gateway, VpcId=place.vpc)
    with pytest.raises(ClientError, match="no internet gateway") as caught:
        balancer(aws_with_behaviours, place)
    assert code_of(caught) == "InvalidSubnet"
    assert balancer(aws_with_behaviours, place, Scheme="internal")["Scheme"] == "internal"


def test_access_logs_need_a_bucket_that_lets_them_in(aws_with_behaviours: Client) -> None:
    arn = balancer(aws_with_behaviours, network(aws_with_behaviours))["LoadBalancerArn"]
    logs = [
        {"Key": "access_logs.s3.enabled", "Value": "true"},
        {"Key": "access_logs.s3.bucket", "Value": "logs"},
    ]
    modify = {"LoadBalancerArn": arn, "Attributes": logs}
    refused("InvalidConfigurationRequest", aws_with_behaviours("elbv2").modify_load_balancer_attributes, **modify)


def test_a_target_group_in_use_stays(aws_with_behaviours: Client) -> None:
    group = behind_balancer(aws_with_behaviours, network(aws_with_behaviours))
    refused("ResourceInUse", aws_with_behaviours("elbv2").delete_target_group, TargetGroupArn=group)


def test_a_held_interface_is_not_the_users_to_delete(aws_with_behaviours: Client) -> None:
    balancer(aws_with_behaviours, network(aws_with_behaviours))
    name = interfaces(aws_with_behaviours)[0]["NetworkInterfaceId"]
    refused("InvalidParameterValue", aws_with_behaviours("ec2").delete_network_interface, NetworkInterfaceId=name)
