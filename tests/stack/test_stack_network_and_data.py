"""The table of the stack, line by line, as AWS sees it: network, groups, logs and data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live_stack import ACCOUNT, OWNER, SUFFIX, LiveStack, tags

ANYWHERE = "0.0.0.0/0"


def test_vpc_block_and_names(live_stack: LiveStack) -> None:
    (vpc,) = live_stack.ec2("describe_vpcs", "Vpcs")
    ec2 = live_stack.aws("ec2")

    assert vpc["CidrBlock"] == "10.0.0.0/16"
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        told = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
        assert told[attribute[0].upper() + attribute[1:]] == {"Value": True}


@pytest.mark.parametrize(("side", "first"), [("public", 0), ("private", 10)])
def test_three_subnets_a_side_in_the_first_three_zones_by_name(live_stack: LiveStack, side: str, first: int) -> None:
    subnets = {
        tags(one["Tags"])["ml-api:node"]: (one["CidrBlock"], one["AvailabilityZone"])
        for one in live_stack.ec2("describe_subnets", "Subnets")
    }

    assert [subnets[f"{side}-{n}"] for n in (1, 2, 3)] == [
        (f"10.0.{first + n}.0/24", f"us-east-1{zone}") for n, zone in enumerate("abc")
    ]


def test_an_internet_gateway_is_attached(live_stack: LiveStack) -> None:
    (gateway,) = live_stack.ec2("describe_internet_gateways", "InternetGateways")

    assert [one["VpcId"] for one in gateway["Attachments"]] == [live_stack.vpc]


def test_one_nat_gateway_bears_one_address_in_a_public_subnet(live_stack: LiveStack) -> None:
    (nat,) = live_stack.ec2("describe_nat_gateways", "NatGateways")
    (address,) = live_stack.ec2("describe_addresses", "Addresses")
    homes = {one["SubnetId"]: one for one in live_stack.ec2("describe_subnets", "Subnets")}

    assert nat["State"] == "available"
    assert nat["NatGatewayAddresses"][0]["AllocationId"] == address["AllocationId"]
    assert tags(homes[nat["SubnetId"]]["Tags"])["ml-api:node"] == "public-1"


def tables(live_stack: LiveStack) -> dict[str, dict[str, Any]]:
    """Route tables by logical name."""
    return {tags(one["Tags"])["ml-api:node"]: one for one in live_stack.ec2("describe_route_tables", "RouteTables")}


def test_public_subnets_leave_by_the_gateway_and_private_ones_by_nat(live_stack: LiveStack) -> None:
    def way_out(table: dict[str, Any]) -> str:
        (route,) = [one for one in table["Routes"] if one.get("DestinationCidrBlock") == ANYWHERE]
        return str(route.get("NatGatewayId") or route["GatewayId"])

    assert tables(live_stack).keys() == {"routes-public", "routes-private-1"}
    assert way_out(tables(live_stack)["routes-public"]).startswith("igw-")
    assert way_out(tables(live_stack)["routes-private-1"]).startswith("nat-")


def test_each_of_the_six_subnets_follows_its_table(live_stack: LiveStack) -> None:
    nodes = {one["SubnetId"]: tags(one["Tags"])["ml-api:node"] for one in live_stack.ec2("describe_subnets", "Subnets")}
    followers = {
        name: sorted(nodes[one["SubnetId"]] for one in table["Associations"] if "SubnetId" in one)
        for name, table in tables(live_stack).items()
    }

    assert followers == {
        "routes-public": ["public-1", "public-2", "public-3"],
        "routes-private-1": ["private-1", "private-2", "private-3"],
    }


def test_s3_and_dynamodb_are_reached_without_nat(live_stack: LiveStack) -> None:
    endpoints = {one["ServiceName"]: one for one in live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints")}

    assert endpoints.keys() == {"com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"}
    for endpoint in endpoints.values():
        assert endpoint["VpcEndpointType"] == "Gateway"
        assert sorted(endpoint["RouteTableIds"]) == sorted(
            table["RouteTableId"] for table in tables(live_stack).values()
        )


def test_the_groups_let_through_what_is_needed_and_nothing_else(live_stack: LiveStack) -> None:
    names = {live_stack.group(name): name for name in ("sg-alb", "sg-tasks", "sg-db")}
    rules = live_stack.aws("ec2").describe_security_group_rules()["SecurityGroupRules"]

    allowed = {
        (
            names[rule["GroupId"]],
            "out" if rule["IsEgress"] else "in",
            rule["FromPort"],
            rule.get("CidrIpv4") or names[rule["ReferencedGroupInfo"]["GroupId"]],
        )
        for rule in rules
        if rule["GroupId"] in names
    }

    assert allowed == {
        ("sg-alb", "in", 80, ANYWHERE),
        ("sg-alb", "in", 443, ANYWHERE),
        ("sg-alb", "out", 8080, "sg-tasks"),
        ("sg-tasks", "in", 8080, "sg-alb"),
        ("sg-tasks", "out", 443, ANYWHERE),
        ("sg-tasks", "out", 5432, "sg-db"),
        ("sg-db", "in", 5432, "sg-tasks"),
    }


def test_all_four_log_groups_are_made_beforehand(live_stack: LiveStack) -> None:
    groups = live_stack.aws("logs").describe_log_groups()["logGroups"]

    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        f"/aws/ecs/ml-api-{SUFFIX}": 30,
        f"/aws/alb/ml-api-{SUFFIX}": 30,
        f"/aws/rds/cluster/ml-api-aurora-{SUFFIX}/postgresql": 30,
        f"/aws/ecs/containerinsights/ml-api-cluster-{SUFFIX}/performance": 30,
    }


def test_aurora_is_encrypted_backed_up_and_logs(live_stack: LiveStack) -> None:
    cluster = live_stack.cluster

    assert cluster["StorageEncrypted"] is True
    assert cluster["BackupRetentionPeriod"] == 7
    assert cluster["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert [one["VpcSecurityGroupId"] for one in cluster["VpcSecurityGroups"]] == [live_stack.group("sg-db")]


def test_aurora_has_parameters_of_its_own_in_the_family_of_its_version(live_stack: LiveStack) -> None:
    name = live_stack.cluster["DBClusterParameterGroup"]
    rds = live_stack.aws("rds")
    (group,) = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)["DBClusterParameterGroups"]
    values = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name, Source="user")["Parameters"]

    assert group["DBParameterGroupFamily"] == "aurora-postgresql17"
    assert {one["ParameterName"]: one["ParameterValue"] for one in values}["rds.force_ssl"] == "1"


def test_aurora_stands_in_the_private_subnets(live_stack: LiveStack) -> None:
    (group,) = live_stack.aws("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    private = {
        one["SubnetId"]
        for one in live_stack.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"].startswith("private-")
    }

    assert group["DBSubnetGroupName"] == live_stack.cluster["DBSubnetGroup"]
    assert {one["SubnetIdentifier"] for one in group["Subnets"]} == private


def test_one_serverless_instance_is_not_public(live_stack: LiveStack) -> None:
    (instance,) = live_stack.aws("rds").describe_db_instances()["DBInstances"]

    assert instance["DBInstanceClass"] == "db.serverless"
    assert instance["PubliclyAccessible"] is False
    assert instance["DBInstanceStatus"] == "available"
    assert instance["DBClusterIdentifier"] == live_stack.cluster["DBClusterIdentifier"]


def test_the_version_is_the_newest_plain_one_of_its_major(live_stack: LiveStack) -> None:
    offered = live_stack.aws("rds").describe_orderable_db_instance_options(
        Engine="aurora-postgresql", DBInstanceClass="db.serverless"
    )["OrderableDBInstanceOptions"]
    plain = {
        tuple(map(int, one["EngineVersion"].split(".")))
        for one in offered
        if one["EngineVersion"].replace(".", "").isdigit() and one["EngineVersion"].startswith("17.")
    }

    assert tuple(map(int, live_stack.cluster["EngineVersion"].split("."))) == max(plain)


def test_rds_keeps_the_master_password_in_secrets_manager(live_stack: LiveStack) -> None:
    secret = live_stack.aws("secretsmanager").describe_secret(SecretId=live_stack.secret)

    assert secret["OwningService"] == "rds"


def test_the_sessions_table_is_keyed_and_on_demand(live_stack: LiveStack) -> None:
    table = live_stack.aws("dynamodb").describe_table(TableName=f"ml-api-sessions-{SUFFIX}")["Table"]

    assert table["KeySchema"] == [{"AttributeName": "sessionId", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "sessionId", "AttributeType": "S"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_whatever_carries_our_projects_tag_carries_all_of_this_stacks(live_stack: LiveStack) -> None:
    asked = [{"Key": "Project", "Values": ["ml-api"]}]
    pages = live_stack.aws("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=asked)
    found = pages.build_full_result()["ResourceTagMappingList"]

    assert len(found) > 20
    for one in found:
        assert OWNER.items() <= tags(one["Tags"]).items()


def test_the_account_is_the_embedded_one(live_stack: LiveStack) -> None:
    assert live_stack.aws("sts").get_caller_identity()["Account"] == ACCOUNT
