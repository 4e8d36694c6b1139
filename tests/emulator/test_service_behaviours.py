"""Databases, tables, distributions and services take their time and say no."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from tests.emulator.conftest import Client, code_of
from tests.emulator.places import Network, behind_balancer, definition, network, service, target_group, through
from tests.emulator.test_cloudfront import config, distribution
from tests.emulator.test_network_behaviours import interfaces, refused
from tests.emulator.test_rds import cluster, described
from tests.emulator.test_small_services import ACL, table
from tests.stack.test_foreign_resources import ANYTHING, TRUST


def seen(aws: Client) -> Any:
    return aws("ecs").describe_services(cluster="c", services=["s"])["services"][0]


def database(aws: Client, place: Network) -> None:
    group = {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d"}
    aws("rds").create_db_subnet_group(**group, SubnetIds=place.subnets)
    cluster(aws, DBSubnetGroupName="g", VpcSecurityGroupIds=[place.group])


def instance(aws: Client) -> None:
    aws("rds").create_db_instance(
        DBInstanceIdentifier="db-1",
        DBClusterIdentifier="db",
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
    )


def instance_status(aws: Client) -> str:
    found = aws("rds").describe_db_instances(DBInstanceIdentifier="db-1")["DBInstances"]
    return str(found[0]["DBInstanceStatus"])


def test_aurora_takes_its_time(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    rds, place = aws_at_real_speed("rds"), network(aws_at_real_speed)
    database(aws_at_real_speed, place)
    assert described(aws_at_real_speed)["Status"] == "creating"
    with pytest.raises(ClientError) as caught:
        instance(aws_at_real_speed)
    assert code_of(caught) == "InvalidDBClusterStateFault"
    emulator_server.advance(91)
    instance(aws_at_real_speed)
    assert described(aws_at_real_speed)["Status"] == "available"
    assert instance_status(aws_at_real_speed) == "creating"
    assert len(interfaces(aws_at_real_speed, requester_id="amazon-rds")) == 1
    emulator_server.advance(421)
    assert instance_status(aws_at_real_speed) == "available"
    modify = {"DBClusterIdentifier": "db", "BackupRetentionPeriod": 7, "ApplyImmediately": True}
    rds.modify_db_cluster(**modify)
    assert described(aws_at_real_speed)["Status"] == "modifying"
    refused("InvalidDBClusterStateFault", rds.modify_db_cluster, **modify)
    emulator_server.advance(31)
    assert described(aws_at_real_speed)["Status"] == "available"


def test_aurora_goes_in_its_order(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    rds, place = aws_at_real_speed("rds"), network(aws_at_real_speed)
    database(aws_at_real_speed, place)
    emulator_server.advance(91)
    instance(aws_at_real_speed)
    emulator_server.advance(421)
    drop = {"DBClusterIdentifier": "db", "SkipFinalSnapshot": True}
    refused("InvalidDBClusterStateFault", rds.delete_db_cluster, **drop)
    rds.delete_db_instance(DBInstanceIdentifier="db-1", SkipFinalSnapshot=True)
    assert instance_status(aws_at_real_speed) == "deleting"
    with pytest.raises(ClientError, match="already being deleted") as caught:
        rds.delete_db_instance(DBInstanceIdentifier="db-1", SkipFinalSnapshot=True)
    assert code_of(caught) == "InvalidDBInstanceState"
    assert rds.delete_db_cluster(**drop)["DBCluster"]["Status"] == "deleting"
    refused("InvalidDBSubnetGroupStateFault", rds.delete_db_subnet_group, DBSubnetGroupName="g")
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_security_group, GroupId=place.group)
    emulator_server.advance(301)
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="db-1")
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="db")
    rds.delete_db_subnet_group(DBSubnetGroupName="g")
    aws_at_real_speed("ec2").delete_security_group(GroupId=place.group)


def test_a_parameter_group_in_use_stays(aws_with_behaviours: Client) -> None:
    rds = aws_with_behaviours("rds")
    group = {"DBClusterParameterGroupName": "p", "DBParameterGroupFamily": "aurora-postgresql15"}
    rds.create_db_cluster_parameter_group(**group, Description="d")
    cluster(aws_with_behaviours, DBClusterParameterGroupName="p")
    drop = rds.delete_db_cluster_parameter_group
    refused("InvalidDBParameterGroupState", drop, DBClusterParameterGroupName="p")
    rds.delete_db_cluster(DBClusterIdentifier="db", SkipFinalSnapshot=True)
    drop(DBClusterParameterGroupName="p")


def test_a_table_is_busy_after_a_change(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    dynamodb = aws_at_real_speed("dynamodb")
    table(aws_at_real_speed)
    spec = {"Enabled": True, "AttributeName": "expires"}
    ttl = {"TableName": "t", "TimeToLiveSpecification": spec}
    backups = {
        "TableName": "t",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    assert dynamodb.describe_table(TableName="t")["Table"]["TableStatus"] == "CREATING"
    refused("ResourceInUseException", dynamodb.update_time_to_live, **ttl)
    refused("ResourceInUseException", dynamodb.delete_table, TableName="t")
    emulator_server.advance(11)
    refused("ContinuousBackupsUnavailableException", dynamodb.update_continuous_backups, **backups)
    dynamodb.update_time_to_live(**ttl)
    told = dynamodb.describe_time_to_live(TableName="t")["TimeToLiveDescription"]
    assert told["TimeToLiveStatus"] == "ENABLING"
    spec["Enabled"] = False
    with pytest.raises(ClientError, match="multiple times within a fixed interval"):
        dynamodb.update_time_to_live(**ttl)
    emulator_server.advance(10)
    dynamodb.update_continuous_backups(**backups)
    for _ in range(2):
        gone = dynamodb.delete_table(TableName="t")["TableDescription"]
        assert gone["TableStatus"] == "DELETING"
    emulator_server.advance(6)
    refused("ResourceNotFoundException", dynamodb.describe_table, TableName="t")


def test_a_distribution_is_disabled_before_it_is_deleted(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    cloudfront = aws_at_real_speed("cloudfront")
    made = distribution(aws_at_real_speed)
    name = made["Distribution"]["Id"]

    def status() -> str:
        return str(cloudfront.get_distribution(Id=name)["Distribution"]["Status"])

    assert status() == "InProgress"
    assert cloudfront.list_distributions()["DistributionList"]["Items"][0]["Status"] == "InProgress"
    emulator_server.advance(171)
    assert status() == "Deployed"
    refused("DistributionNotDisabled", cloudfront.delete_distribution, Id=name, IfMatch=made["ETag"])
    off = cloudfront.update_distribution(Id=name, IfMatch=made["ETag"], DistributionConfig=config(Enabled=False))
    assert status() == "InProgress"
    refused("DistributionNotDisabled", cloudfront.delete_distribution, Id=name, IfMatch=off["ETag"])
    emulator_server.advance(171)
    refused("PreconditionFailed", cloudfront.delete_distribution, Id=name, IfMatch=made["ETag"])
    cloudfront.delete_distribution(Id=name, IfMatch=off["ETag"])
    refused("NoSuchDistribution", cloudfront.get_distribution, Id=name)


def test_a_web_acl_in_use_stays(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    acl = aws_at_real_speed("wafv2").create_web_acl(**ACL)["Summary"]
    made = distribution(aws_at_real_speed, WebACLId=acl["ARN"])
    drop = {"Name": "w", "Scope": "CLOUDFRONT", "Id": acl["Id"], "LockToken": acl["LockToken"]}
    refused("WAFAssociatedItemException", aws_at_real_speed("wafv2").delete_web_acl, **drop)
    name = made["Distribution"]["Id"]
    aws_at_real_speed("cloudfront").update_distribution(Id=name, IfMatch=made["ETag"], DistributionConfig=config())
    refused("WAFAssociatedItemException", aws_at_real_speed("wafv2").delete_web_acl, **drop)
    emulator_server.advance(61)
    aws_at_real_speed("wafv2").delete_web_acl(**drop)


def test_a_rollout_takes_a_minute_and_a_drain(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    place = network(aws_at_real_speed)
    group = behind_balancer(aws_at_real_speed, place)
    service(aws_at_real_speed, place, **through(group))
    assert seen(aws_at_real_speed)["pendingCount"] == 2
    assert interfaces(aws_at_real_speed, requester_id="amazon-ecs")[0]["Status"] == "in-use"
    emulator_server.advance(21)
    assert (seen(aws_at_real_speed)["runningCount"], seen(aws_at_real_speed)["deployments"][0]["rolloutState"]) == (
        2,
        "IN_PROGRESS",
    )
    health = aws_at_real_speed("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {target["TargetHealth"]["State"] for target in health} == {"initial"}
    emulator_server.advance(41)
    assert seen(aws_at_real_speed)["deployments"][0]["rolloutState"] == "COMPLETED"
    aws_at_real_speed("ecs").delete_service(cluster="c", service="s", force=True)
    refused("ClusterContainsServicesException", aws_at_real_speed("ecs").delete_cluster, cluster="c")
    health = aws_at_real_speed("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {target["TargetHealth"]["State"] for target in health} == {"draining"}
    with pytest.raises(ClientError, match="still Draining"):
        service(aws_at_real_speed, place, **through(group))
    emulator_server.advance(300)
    assert seen(aws_at_real_speed)["status"] == "DRAINING"
    emulator_server.advance(20)
    assert seen(aws_at_real_speed)["status"] == "INACTIVE"
    refused("DependencyViolation", aws_at_real_speed("ec2").delete_subnet, SubnetId=place.subnets[0])
    aws_at_real_speed("ecs").delete_cluster(cluster="c")


def test_a_target_group_must_be_wired(aws_with_behaviours: Client) -> None:
    place = network(aws_with_behaviours)
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        service(aws_with_behaviours, place, **through(target_group(aws_with_behaviours, place)))


@pytest.mark.parametrize(
    "given",
    [
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-none"]}}},
    ],
)
def test_a_service_that_cannot_be_is_refused(aws_with_behaviours: Client, given: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        service(aws_with_behaviours, network(aws_with_behaviours), **given)
    assert code_of(caught) == "InvalidParameterException"


def test_fargate_has_its_sizes(aws_with_behaviours: Client) -> None:
    register = aws_with_behaviours("ecs").register_task_definition
    size = {"family": "f", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "networkMode": "awsvpc"}
    containers = [{"name": "web", "image": "web:1"}]
    for memory in ("1536", "4096", "many"):
        refused("ClientException", register, **size, memory=memory, containerDefinitions=containers)
    register(**size, memory="2048", containerDefinitions=containers)


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "none"}}},
            "log group does not exist",
        ),
        (
            {
                "secrets": [
                    {
                        "name": "P",
                        "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-abcdef:p::",
                    }
                ]
            },
            "can't find the specified secret",
        ),
    ],
)
def test_a_task_says_what_it_lacks(aws_with_behaviours: Client, container: dict[str, Any], reason: str) -> None:
    service(
        aws_with_behaviours, network(aws_with_behaviours), taskDefinition=definition(aws_with_behaviours, **container)
    )
    seen(aws_with_behaviours)
    stopped = aws_with_behaviours("ecs").list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"]
    told = aws_with_behaviours("ecs").describe_tasks(cluster="c", tasks=stopped)["tasks"][0]
    assert reason in told["stoppedReason"]


def test_a_task_needs_a_way_to_its_image(aws_at_real_speed: Client, emulator_server: LocalAws) -> None:
    ec2, place = aws_at_real_speed("ec2"), network(aws_at_real_speed)
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=place.subnets[0], AllocationId=allocation)["NatGateway"]
    table = ec2.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    way = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat["NatGatewayId"]}
    ec2.create_route(**way)
    ec2.associate_route_table(RouteTableId=table, SubnetId=place.subnets[1])
    vpc = {"subnets": place.subnets[1:], "securityGroups": [place.group], "assignPublicIp": "DISABLED"}
    service(aws_at_real_speed, place, networkConfiguration={"awsvpcConfiguration": vpc})
    emulator_server.advance(21)
    assert seen(aws_at_real_speed)["deployments"][0]["failedTasks"] == 2
    emulator_server.advance(100)
    seen(aws_at_real_speed)
    emulator_server.advance(100)
    assert seen(aws_at_real_speed)["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_first_use_of_a_service_makes_its_role(eventually_consistent_aws: Client) -> None:
    with pytest.raises(ClientError, match="Unable to assume the service linked role"):
        eventually_consistent_aws("ecs").create_cluster(clusterName="c")
    eventually_consistent_aws("ecs").create_cluster(clusterName="c")
    assert eventually_consistent_aws("iam").list_roles()["Roles"][0]["RoleName"] == "AWSServiceRoleForECS"


@pytest.mark.parametrize("way", ["attached", "bounding"])
def test_a_policy_stays_as_long_as_a_role_has_it(aws_with_behaviours: Client, way: str) -> None:
    iam = aws_with_behaviours("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    more = {"PermissionsBoundary": arn} if way == "bounding" else {}
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, **more)
    if way == "attached":
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)

    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    assert [one["RoleName"] for one in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]] == ["r"]
