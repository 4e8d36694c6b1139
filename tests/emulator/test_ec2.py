"""Corrections of moto's EC2."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of


def vpc(aws: Client) -> str:
    return str(aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def subnet(aws: Client, vpc_id: str, n: int = 1) -> str:
    made = aws("ec2").create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{n}.0/24")
    return str(made["Subnet"]["SubnetId"])


def refused(code: str, method: Any, **params: Any) -> None:
    with pytest.raises(ClientError) as caught:
        method(**params)
    assert code_of(caught) == code


def tagged(type_name: str, value: str) -> list[Any]:
    return [{"ResourceType": type_name, "Tags": [{"Key": "Name", "Value": value}]}]


def test_a_dry_run_makes_nothing(aws: Client) -> None:
    refused("DryRunOperation", aws("ec2").create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    assert len(aws("ec2").describe_vpcs()["Vpcs"]) == 1


def test_zones_need_no_opting_in(aws: Client) -> None:
    opted = [{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
    found = aws("ec2").describe_availability_zones(Filters=opted)["AvailabilityZones"]
    assert {zone["OptInStatus"] for zone in found} == {"opt-in-not-required"}


def test_members_of_the_default_group_reach_each_other(aws: Client) -> None:
    mine = [{"Name": "vpc-id", "Values": [vpc(aws)]}]
    group = aws("ec2").describe_security_groups(Filters=mine)["SecurityGroups"][0]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]


def test_a_subnet_too_small_is_refused(aws: Client) -> None:
    refused("InvalidSubnet.Range", aws("ec2").create_subnet, VpcId=vpc(aws), CidrBlock="10.0.0.0/30")


def test_a_vpc_has_one_internet_gateway(aws: Client) -> None:
    vpc_id = vpc(aws)
    one, two = (aws("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2))
    aws("ec2").attach_internet_gateway(VpcId=vpc_id, InternetGatewayId=one)
    attach = aws("ec2").attach_internet_gateway
    refused("InvalidParameterValue", attach, VpcId=vpc_id, InternetGatewayId=two)
    refused("Resource.AlreadyAssociated", attach, VpcId=vpc_id, InternetGatewayId=one)


def nat(aws: Client, **given: Any) -> Any:
    allocation = aws("ec2").allocate_address(Domain="vpc")["AllocationId"]
    params = {"SubnetId": subnet(aws, vpc(aws)), "AllocationId": allocation}
    return aws("ec2").create_nat_gateway(**params, **given)["NatGateway"]


def test_a_nat_gateway_is_made_once_a_token(aws: Client) -> None:
    ec2 = aws("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    params = {"SubnetId": subnet(aws, vpc(aws)), "AllocationId": allocation, "ClientToken": "t"}
    one = ec2.create_nat_gateway(**params)["NatGateway"]["NatGatewayId"]
    assert ec2.create_nat_gateway(**params)["NatGateway"]["NatGatewayId"] == one
    refused("IdempotentParameterMismatch", ec2.create_nat_gateway, **params | {"AllocationId": "other"})
    refused("Resource.AlreadyAssociated", ec2.create_nat_gateway, **params | {"ClientToken": "u"})
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == 1


def test_nat_gateways_are_found_by_tag(aws: Client) -> None:
    nat(aws, TagSpecifications=tagged("natgateway", "one"))
    for value, count in (("one", 1), ("two", 0), ("o*", 1)):
        wanted = [{"Name": "tag:Name", "Values": [value]}]
        assert len(aws("ec2").describe_nat_gateways(Filters=wanted)["NatGateways"]) == count


def test_an_unknown_nat_gateway_is_not_found(aws: Client) -> None:
    refused("NatGatewayNotFound", aws("ec2").describe_nat_gateways, NatGatewayIds=["nat-none"])
    refused("NatGatewayNotFound", aws("ec2").delete_nat_gateway, NatGatewayId="nat-none")


def test_a_deleted_nat_gateway_lets_go_and_leaves_a_black_hole(aws: Client) -> None:
    made = nat(aws)
    table = aws("ec2").create_route_table(VpcId=made["VpcId"])["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    aws("ec2").create_route(**route, NatGatewayId=made["NatGatewayId"])
    aws("ec2").delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    address = aws("ec2").describe_addresses()["Addresses"][0]
    assert "AssociationId" not in address
    assert "NetworkInterfaceId" not in address
    assert aws("ec2").describe_network_interfaces()["NetworkInterfaces"] == []
    routes = aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [r["State"] for r in routes] == ["active", "blackhole"]


def test_a_route_needs_its_nat_gateway(aws: Client) -> None:
    table = aws("ec2").create_route_table(VpcId=vpc(aws), ClientToken="t")["RouteTable"]
    route = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0"}
    refused("InvalidNatGatewayID.NotFound", aws("ec2").create_route, **route, NatGatewayId="nat-none")


def test_a_route_table_is_made_once_a_token(aws: Client) -> None:
    vpc_id = vpc(aws)
    one, two = (
        aws("ec2").create_route_table(VpcId=vpc_id, ClientToken="t")["RouteTable"]["RouteTableId"] for _ in range(2)
    )
    assert one == two


def test_a_subnet_has_one_route_table(aws: Client) -> None:
    vpc_id = vpc(aws)
    subnet_id = subnet(aws, vpc_id)
    one, two = (aws("ec2").create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"] for _ in range(2))
    aws("ec2").associate_route_table(SubnetId=subnet_id, RouteTableId=one)
    associate = aws("ec2").associate_route_table
    refused("Resource.AlreadyAssociated", associate, SubnetId=subnet_id, RouteTableId=two)


def test_gateway_endpoints(aws: Client) -> None:
    vpc_id = vpc(aws)
    table = aws("ec2").create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    params = {"VpcId": vpc_id, "ServiceName": "com.amazonaws.us-east-1.s3", "RouteTableIds": [table]}
    create = aws("ec2").create_vpc_endpoint
    made = create(**params, VpcEndpointType="Gateway", ClientToken="t")["VpcEndpoint"]
    assert made["PrivateDnsEnabled"] is False
    again = create(**params, VpcEndpointType="Gateway", ClientToken="t")["VpcEndpoint"]
    assert again["VpcEndpointId"] == made["VpcEndpointId"]
    refused("RouteAlreadyExists", create, **params, VpcEndpointType="Gateway")
    routes = aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    prefix_list = routes[1]["DestinationPrefixListId"]
    drop = {"RouteTableId": table, "DestinationPrefixListId": prefix_list}
    refused("InvalidParameterValue", aws("ec2").delete_route, **drop)
    told = aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"], "vpce-none"])
    assert [u["ResourceId"] for u in told["Unsuccessful"]] == ["vpce-none"]
    assert aws("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []
    assert len(aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]) == 1


def test_a_gateway_endpoint_leads_from_the_tables_it_has_and_from_no_other(aws: Client) -> None:
    ec2, vpc_id = aws("ec2"), vpc(aws)
    one, other, gone = (ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"] for _ in range(3))
    params = {"VpcId": vpc_id, "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"}
    made = ec2.create_vpc_endpoint(**params, RouteTableIds=[one, gone])["VpcEndpoint"]["VpcEndpointId"]

    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=[other], RemoveRouteTableIds=[one])
    ec2.delete_route_table(RouteTableId=gone)

    assert ec2.describe_vpc_endpoints()["VpcEndpoints"][0]["RouteTableIds"] == [other]
    listed = ec2.describe_route_tables(RouteTableIds=[one, other])["RouteTables"]
    leads = {table["RouteTableId"]: [route.get("GatewayId") for route in table["Routes"]] for table in listed}
    assert leads == {one: ["local"], other: ["local", made]}
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[made])["Unsuccessful"] == []


def test_interface_endpoints(aws: Client) -> None:
    ec2, vpc_id = aws("ec2"), vpc(aws)
    params = {
        "VpcId": vpc_id,
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.us-east-1.ecr.api",
        "SubnetIds": [subnet(aws, vpc_id)],
    }
    made = ec2.create_vpc_endpoint(**params, ClientToken="t")["VpcEndpoint"]
    again = ec2.create_vpc_endpoint(**params, ClientToken="t")["VpcEndpoint"]
    assert again["VpcEndpointId"] == made["VpcEndpointId"]
    assert [group["GroupName"] for group in made["Groups"]] == ["default"]
    assert [name["DnsName"] for name in made["DnsEntries"]][1:] == ["api.ecr.us-east-1.amazonaws.com"]
    refused("InvalidParameter", ec2.create_vpc_endpoint, **params)
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc_id)["GroupId"]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=made["VpcEndpointId"],
        PrivateDnsEnabled=False,
        AddSecurityGroupIds=[group],
        RemoveSecurityGroupIds=[made["Groups"][0]["GroupId"]],
    )
    seen = ec2.describe_vpc_endpoints()["VpcEndpoints"][0]
    assert seen["PrivateDnsEnabled"] is False
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [g["GroupId"] for i in interfaces for g in i["Groups"]] == [group]


def test_descriptions_are_kept_for_every_kind_of_source(aws: Client) -> None:
    ec2, vpc_id = aws("ec2"), vpc(aws)
    group, other = (
        ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc_id)["GroupId"] for name in "go"
    )
    named = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    prefix_list = ec2.describe_managed_prefix_lists(Filters=named)["PrefixLists"][0]
    assert prefix_list["MaxEntries"] == 55
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    sources: list[Any] = [
        {"PrefixListIds": [{"PrefixListId": prefix_list["PrefixListId"], "Description": "list"}]},
        {"UserIdGroupPairs": [{"GroupId": other, "Description": "group"}]},
        {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "cidr"}]},
    ]
    for source in sources:
        made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[https | source])
        assert made["SecurityGroupRules"][0]["Description"]
    mine = [{"Name": "group-id", "Values": [group]}]
    rules = ec2.describe_security_group_rules(Filters=mine)["SecurityGroupRules"]
    assert {r.get("Description") for r in rules if not r["IsEgress"]} == {"list", "group", "cidr"}
    seen = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
    assert seen["PrefixListIds"][0]["Description"] == "list"
    assert seen["UserIdGroupPairs"][0]["Description"] == "group"
    http = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": sources[0]["PrefixListIds"]}
    authorize = ec2.authorize_security_group_ingress
    refused("RulesPerSecurityGroupLimitExceeded", authorize, GroupId=group, IpPermissions=[http])
    unknown = https | {"PrefixListIds": [{"PrefixListId": "pl-none"}]}
    refused("InvalidPrefixListID.NotFound", authorize, GroupId=group, IpPermissions=[unknown])


def test_a_description_outside_the_alphabet_is_refused(aws: Client) -> None:
    params = {"GroupName": "g", "Description": "the database's group", "VpcId": vpc(aws)}
    refused("InvalidParameterValue", aws("ec2").create_security_group, **params)
