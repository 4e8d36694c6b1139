"""Databases, tables, distributions and services take their time and say no."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from tests.embedded.conftest import Client, code_of
from tests.embedded.places import (
    Network,
    behind_balancer,
    definition,
    network,
    service,
    target_group,
    through,
)
from tests.embedded.test_cloudfront import config, distribution
from tests.embedded.test_manners_network import interfaces, refused
from tests.embedded.test_rds import cluster, described
from tests.embedded.test_small_services import ACL, table
from tests.test_strangers import ANYTHING, TRUST


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


def test_aurora_takes_its_time(slow: Client, box: LocalAws) -> None:
    rds, place = slow("rds"), network(slow)
    database(slow, place)
    assert described(slow)["Status"] == "creating"
    with pytest.raises(ClientError) as caught:
        instance(slow)
    assert code_of(caught) == "InvalidDBClusterStateFault"
    box.advance(91)
    instance(slow)
    assert described(slow)["Status"] == "available"
    assert instance_status(slow) == "creating"
    assert len(interfaces(slow, requester_id="amazon-rds")) == 1
    box.advance(421)
    assert instance_status(slow) == "available"
    modify = {"DBClusterIdentifier": "db", "BackupRetentionPeriod": 7, "ApplyImmediately": True}
    rds.modify_db_cluster(**modify)
    assert described(slow)["Status"] == "modifying"
    refused("InvalidDBClusterStateFault", rds.modify_db_cluster, **modify)
    box.advance(31)
    assert described(slow)["Status"] == "available"


def test_aurora_goes_in_its_order(slow: Client, box: LocalAws) -> None:
    rds, place = slow("rds"), network(slow)
    database(slow, place)
    box.advance(91)
    instance(slow)
    box.advance(421)
    drop = {"DBClusterIdentifier": "db", "SkipFinalSnapshot": True}
    refused("InvalidDBClusterStateFault", rds.delete_db_cluster, **drop)
    rds.delete_db_instance(DBInstanceIdentifier="db-1", SkipFinalSnapshot=True)
    assert instance_status(slow) == "deleting"
    with pytest.raises(ClientError, match="already being deleted") as caught:
        rds.delete_db_instance(DBInstanceIdentifier="db-1", SkipFinalSnapshot=True)
    assert code_of(caught) == "InvalidDBInstanceState"
    assert rds.delete_db_cluster(**drop)["DBCluster"]["Status"] == "deleting"
    refused("InvalidDBSubnetGroupStateFault", rds.delete_db_subnet_group, DBSubnetGroupName="g")
    refused("DependencyViolation", slow("ec2").delete_security_group, GroupId=place.group)
    box.advance(301)
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="db-1")
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="db")
    rds.delete_db_subnet_group(DBSubnetGroupName="g")
    slow("ec2").delete_security_group(GroupId=place.group)


def test_a_parameter_group_in_use_stays(mannered: Client) -> None:
    rds = mannered("rds")
    group = {"DBClusterParameterGroupName": "p", "DBParameterGroupFamily": "aurora-postgresql15"}
    rds.create_db_cluster_parameter_group(**group, Description="d")
    cluster(mannered, DBClusterParameterGroupName="p")
    drop = rds.delete_db_cluster_parameter_group
    refused("InvalidDBParameterGroupState", drop, DBClusterParameterGroupName="p")
    rds.delete_db_cluster(DBClusterIdentifier="db", SkipFinalSnapshot=True)
    drop(DBClusterParameterGroupName="p")


def test_a_table_is_busy_after_a_change(slow: Client, box: LocalAws) -> None:
    dynamodb = slow("dynamodb")
    table(slow)
    spec = {"Enabled": True, "AttributeName": "expires"}
    ttl = {"TableName": "t", "TimeToLiveSpecification": spec}
    backups = {
        "TableName": "t",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    assert dynamodb.describe_table(TableName="t")["Table"]["TableStatus"] == "CREATING"
    refused("ResourceInUseException", dynamodb.update_time_to_live, **ttl)
    refused("ResourceInUseException", dynamodb.delete_table, TableName="t")
    box.advance(11)
    refused("ContinuousBackupsUnavailableException", dynamodb.update_continuous_backups, **backups)
    dynamodb.update_time_to_live(**ttl)
    told = dynamodb.describe_time_to_live(TableName="t")["TimeToLiveDescription"]
    assert told["TimeToLiveStatus"] == "ENABLING"
    spec["Enabled"] = False
    with pytest.raises(ClientError, match="multiple times within a fixed interval"):
        dynamodb.update_time_to_live(**ttl)
    box.advance(10)
    dynamodb.update_continuous_backups(**backups)
    for _ in range(2):
        gone = dynamodb.delete_table(TableName="t")["TableDescription"]
        assert gone["TableStatus"] == "DELETING"
    box.advance(6)
    refused("ResourceNotFoundException", dynamodb.describe_table, TableName="t")


def test_a_distribution_is_disabled_before_it_is_deleted(slow: Client, box: LocalAws) -> None:
    cloudfront = slow("cloudfront")
    made = distribution(slow)
    name = made["Distribution"]["Id"]

    def status() -> str:
        return str(cloudfront.get_distribution(Id=name)["Distribution"]["Status"])

    assert status() == "InProgress"
    assert cloudfront.list_distributions()["DistributionList"]["Items"][0]["Status"] == "InProgress"
    box.advance(171)
    assert status() == "Deployed"
    refused("DistributionNotDisabled", cloudfront.delete_distribution, Id=name, IfMatch=made["ETag"])
    off = cloudfront.update_distribution(Id=name, IfMatch=made["ETag"], DistributionConfig=config(Enabled=False))
    assert status() == "InProgress"
    refused("DistributionNotDisabled", cloudfront.delete_distribution, Id=name, IfMatch=off["ETag"])
    box.advance(171)
    refused("PreconditionFailed", cloudfront.delete_distribution, Id=name, IfMatch=made["ETag"])
    cloudfront.delete_distribution(Id=name, IfMatch=off["ETag"])
    refused("NoSuchDistribution", cloudfront.get_distribution, Id=name)


def test_a_web_acl_in_use_stays(slow: Client, box: LocalAws) -> None:
    acl = slow("wafv2").create_web_acl(**ACL)["Summary"]
    made = distribution(slow, WebACLId=acl["ARN"])
    drop = {"Name": "w", "Scope": "CLOUDFRONT", "Id": acl["Id"], "LockToken": acl["LockToken"]}
    refused("WAFAssociatedItemException", slow("wafv2").delete_web_acl, **drop)
    name = made["Distribution"]["Id"]
    slow("cloudfront").update_distribution(Id=name, IfMatch=made["ETag"], DistributionConfig=config())
    refused("WAFAssociatedItemException", slow("wafv2").delete_web_acl, **drop)
    box.advance(61)
    slow("wafv2").delete_web_acl(**drop)


def test_a_rollout_takes_a_minute_and_a_drain(slow: Client, box: LocalAws) -> None:
    place = network(slow)
    group = behind_balancer(slow, place)
    service(slow, place, **through(group))
    assert seen(slow)["pendingCount"] == 2
    assert interfaces(slow, requester_id="amazon-ecs")[0]["Status"] == "in-use"
    box.advance(21)
    assert (seen(slow)["runningCount"], seen(slow)["deployments"][0]["rolloutState"]) == (2, "IN_PROGRESS")
    health = slow("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {target["TargetHealth"]["State"] for target in health} == {"initial"}
    box.advance(41)
    assert seen(slow)["deployments"][0]["rolloutState"] == "COMPLETED"
    slow("ecs").delete_service(cluster="c", service="s", force=True)
    refused("ClusterContainsServicesException", slow("ecs").delete_cluster, cluster="c")
    health = slow("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert {target["TargetHealth"]["State"] for target in health} == {"draining"}
    with pytest.raises(ClientError, match="still Draining"):
        service(slow, place, **through(group))
    box.advance(300)
    assert seen(slow)["status"] == "DRAINING"
    box.advance(20)
    assert seen(slow)["status"] == "INACTIVE"
    refused("DependencyViolation", slow("ec2").delete_subnet, SubnetId=place.subnets[0])
    slow("ecs").delete_cluster(cluster="c")


def test_a_target_group_must_be_wired(mannered: Client) -> None:
    place = network(mannered)
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        service(mannered, place, **through(target_group(mannered, place)))


@pytest.mark.parametrize(
    "given",
    [
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-none"]}}},
    ],
)
def test_a_service_that_cannot_be_is_refused(mannered: Client, given: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        service(mannered, network(mannered), **given)
    assert code_of(caught) == "InvalidParameterException"


def test_fargate_has_its_sizes(mannered: Client) -> None:
    register = mannered("ecs").register_task_definition
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
def test_a_task_says_what_it_lacks(mannered: Client, container: dict[str, Any], reason: str) -> None:
    service(mannered, network(mannered), taskDefinition=definition(mannered, **container))
    seen(mannered)
    stopped = mannered("ecs").list_tasks(cluster="c", desiredStatus="STOPPED")["taskArns"]
    told = mannered("ecs").describe_tasks(cluster="c", tasks=stopped)["tasks"][0]
    assert reason in told["stoppedReason"]


def test_a_task_needs_a_way_to_its_image(slow: Client, box: LocalAws) -> None:
    ec2, place = slow("ec2"), network(slow)
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=place.subnets[0], AllocationId=allocation)["NatGateway"]
    table = ec2.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    way = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat["NatGatewayId"]}
    ec2.create_route(**way)
    ec2.associate_route_table(RouteTableId=table, SubnetId=place.subnets[1])
    vpc = {"subnets": place.subnets[1:], "securityGroups": [place.group], "assignPublicIp": "DISABLED"}
    service(slow, place, networkConfiguration={"awsvpcConfiguration": vpc})
    box.advance(21)
    assert seen(slow)["deployments"][0]["failedTasks"] == 2
    box.advance(100)
    seen(slow)
    box.advance(100)
    assert seen(slow)["deployments"][0]["rolloutState"] == "COMPLETED"


def test_the_first_use_of_a_service_makes_its_role(shy: Client) -> None:
    with pytest.raises(ClientError, match="Unable to assume the service linked role"):
        shy("ecs").create_cluster(clusterName="c")
    shy("ecs").create_cluster(clusterName="c")
    assert shy("iam").list_roles()["Roles"][0]["RoleName"] == "AWSServiceRoleForECS"


@pytest.mark.parametrize("way", ["attached", "bounding"])
def test_a_policy_stays_as_long_as_a_role_has_it(mannered: Client, way: str) -> None:
    iam = mannered("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    more = {"PermissionsBoundary": arn} if way == "bounding" else {}
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, **more)
    if way == "attached":
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)

    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    assert [one["RoleName"] for one in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]] == ["r"]
