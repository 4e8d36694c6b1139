"""Every resource carries the stack's tags, wherever AWS takes tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.iam import Role
from provisioner.resources.managed_policy import ManagedPolicy
from tests.support.live_stack import OWNER, SUFFIX, LiveStack, tags

EC2 = {
    "describe_vpcs": "Vpcs",
    "describe_subnets": "Subnets",
    "describe_route_tables": "RouteTables",
    "describe_nat_gateways": "NatGateways",
    "describe_addresses": "Addresses",
    "describe_internet_gateways": "InternetGateways",
    "describe_vpc_endpoints": "VpcEndpoints",
    "describe_security_groups": "SecurityGroups",
    "describe_security_group_rules": "SecurityGroupRules",
}


def in_ec2(live_stack: LiveStack) -> Iterator[Any]:
    """The tags of all in our VPC that AWS did not make by itself; addresses and gateways of the account."""
    ec2, vpc = live_stack.aws("ec2"), live_stack.vpc
    groups = [
        one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] != "default"
    ]
    for operation, key in EC2.items():
        for doc in getattr(ec2, operation)()[key]:
            is_main = any(one["Main"] for one in doc.get("Associations", []))
            is_ours = doc.get("VpcId", vpc) == vpc and doc.get("GroupName") != "default" and not is_main
            if is_ours and (key != "SecurityGroupRules" or doc["GroupId"] in groups):
                yield doc.get("Tags", [])


def in_logs(live_stack: LiveStack) -> Iterator[Any]:
    logs = live_stack.aws("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        yield logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]


def in_rds(live_stack: LiveStack) -> Iterator[Any]:
    rds = live_stack.aws("rds")
    yield from (one["TagList"] for one in rds.describe_db_clusters()["DBClusters"])
    yield from (one["TagList"] for one in rds.describe_db_instances()["DBInstances"])
    arns = [one["DBSubnetGroupArn"] for one in rds.describe_db_subnet_groups()["DBSubnetGroups"]]
    arns += [
        one["DBClusterParameterGroupArn"]
        for one in rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"]
        if not one["DBClusterParameterGroupName"].startswith("default.")
    ]
    yield from (rds.list_tags_for_resource(ResourceName=arn)["TagList"] for arn in arns)


def in_dynamodb(live_stack: LiveStack) -> Iterator[Any]:
    dynamodb = live_stack.aws("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        yield dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]


def in_iam(live_stack: LiveStack) -> Iterator[Any]:
    iam = live_stack.aws("iam")
    for role in iam.list_roles()["Roles"]:
        if not role["Path"].startswith("/aws-service-role/"):
            yield iam.list_role_tags(RoleName=role["RoleName"])["Tags"]


def in_elbv2(live_stack: LiveStack) -> Iterator[Any]:
    elbv2 = live_stack.aws("elbv2")
    arns = [
        live_stack.balancer["LoadBalancerArn"],
        live_stack.target_group["TargetGroupArn"],
        live_stack.listener["ListenerArn"],
        *(rule["RuleArn"] for rule in live_stack.rules.values()),
    ]
    yield from (one["Tags"] for one in elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"])


def in_ecs(live_stack: LiveStack) -> Iterator[Any]:
    ecs, service = live_stack.aws("ecs"), live_stack.service
    for arn in (service["clusterArn"], service["serviceArn"], service["taskDefinition"]):
        yield ecs.list_tags_for_resource(resourceArn=arn)["tags"]


def in_autoscaling(live_stack: LiveStack) -> Iterator[Any]:
    scaling = live_stack.aws("application-autoscaling")
    for target in scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]:
        yield scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]


def in_cloudfront(live_stack: LiveStack) -> Iterator[Any]:
    cloudfront = live_stack.aws("cloudfront")
    for one in cloudfront.list_distributions()["DistributionList"]["Items"]:
        yield cloudfront.list_tags_for_resource(Resource=one["ARN"])["Tags"]["Items"]


SERVICES = {
    in_ec2: 24,
    in_logs: 4,
    in_rds: 4,
    in_dynamodb: 1,
    in_iam: 2,
    in_elbv2: 7,
    in_ecs: 3,
    in_autoscaling: 1,
    in_cloudfront: 1,
}


@pytest.mark.parametrize(("where", "count"), SERVICES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_every_resource_carries_the_four_tags(live_stack: LiveStack, where: Any, count: int) -> None:
    carried = [tags(one) for one in where(live_stack)]

    assert len(carried) == count
    for one in carried:
        assert OWNER.items() <= one.items()
        assert one["ml-api:node"]


def test_every_name_tag_carries_the_suffix(live_stack: LiveStack) -> None:
    carried = [tags(one) for where in SERVICES for one in where(live_stack)]

    assert [one for one in carried if SUFFIX not in one.get("Name", SUFFIX)] == []


def test_no_two_resources_carry_the_same_logical_name(live_stack: LiveStack) -> None:
    names = [tags(one)["ml-api:node"] for where in SERVICES for one in where(live_stack)]

    assert len(names) == len(set(names))


def test_tasks_carry_the_tags_of_their_service(live_stack: LiveStack) -> None:
    ecs = live_stack.aws("ecs")
    cluster = live_stack.service["clusterArn"]
    listed = ecs.list_tasks(cluster=cluster)["taskArns"]
    running = ecs.describe_tasks(cluster=cluster, tasks=listed, include=["TAGS"])["tasks"]

    assert len(running) == 2
    for task in running:
        assert OWNER.items() <= tags(task["tags"]).items()


@pytest.mark.parametrize("kind", [Role(), ManagedPolicy()])
def test_to_iam_a_tag_in_capitals_is_the_same_tag_so_the_old_one_goes_first(kind: ResourceType) -> None:
    iam = Mock()

    kind.retag(iam, ResourceSpec("role", "a", "prod", id="a"), {"Team": "ml"}, ["team"])

    untagged, tagged = (name for name, _, _ in iam.method_calls)
    assert (untagged.split("_")[0], tagged.split("_")[0]) == ("untag", "tag")
