"""One thing of every other kind, altered or deleted by hand."""

from __future__ import annotations

from tests.extras import let_everything_out
from tests.hands import CLUSTER, TABLE, Hand
from tests.standing import Standing, tags

INSIGHTS = f"/aws/ecs/containerinsights/{CLUSTER}/performance"


def _tag(what: str, key: str, id_: str, node: str) -> Hand:
    """A tag that nobody declared, on a resource of EC2."""

    def act(stack: Standing) -> None:
        listed = stack.ec2(what, key)
        mine = next(one[id_] for one in listed if tags(one["Tags"])["ml-api:node"] == node)
        stack.aws("ec2").create_tags(Resources=[mine], Tags=[{"Key": "by", "Value": "hand"}])

    return Hand("altered", node, "update", act)


def _parameters(stack: Standing) -> str:
    return str(stack.cluster["DBClusterParameterGroup"])


def _turn_dns_off(stack: Standing) -> None:
    stack.aws("ec2").modify_vpc_attribute(VpcId=stack.vpc, EnableDnsHostnames={"Value": False})
    stack.aws("ec2").modify_vpc_attribute(VpcId=stack.vpc, EnableDnsSupport={"Value": False})


def _open_a_subnet(stack: Standing) -> None:
    subnets = stack.ec2("describe_subnets", "Subnets")
    mine = next(one["SubnetId"] for one in subnets if tags(one["Tags"])["ml-api:node"] == "public-2")
    stack.aws("ec2").modify_subnet_attribute(SubnetId=mine, MapPublicIpOnLaunch={"Value": True})


def _endpoint(stack: Standing) -> None:
    found = stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in found if one["ServiceName"].endswith(".s3"))
    stack.aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[mine])


def _narrow_the_group(stack: Standing) -> None:
    rds, name = stack.aws("rds"), stack.cluster["DBSubnetGroup"]
    (group,) = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    two = [one["SubnetIdentifier"] for one in group["Subnets"]][:2]
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=two)


def _tag_parameters(stack: Standing) -> None:
    rds, name = stack.aws("rds"), _parameters(stack)
    (group,) = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)["DBClusterParameterGroups"]
    arn = group["DBClusterParameterGroupArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "by", "Value": "hand"}])


def _change_parameters(stack: Standing) -> None:
    one = {"ParameterName": "log_min_duration_statement", "ParameterValue": "1", "ApplyMethod": "immediate"}
    stack.aws("rds").modify_db_cluster_parameter_group(DBClusterParameterGroupName=_parameters(stack), Parameters=[one])


def _open_the_instance(stack: Standing) -> None:
    writer = stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    stack.aws("rds").modify_db_instance(DBInstanceIdentifier=writer, PubliclyAccessible=True, ApplyImmediately=True)


def _stop_backups(stack: Standing) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    stack.aws("dynamodb").update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=off)


def _drain_at_once(stack: Standing) -> None:
    stack.aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=stack.target_group["TargetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
    )


TOUCHED = [
    _tag("describe_subnets", "Subnets", "SubnetId", "public-1"),
    Hand("altered", "public-2", "update", _open_a_subnet),
    _tag("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "igw"),
    _tag("describe_addresses", "Addresses", "AllocationId", "eip-1"),
    Hand("altered", "vpc-dns-hostnames", "update", _turn_dns_off),
    Hand("altered", "vpc-dns-support", "update", lambda _stack: None),
    Hand("gone", "endpoint-s3", "create", _endpoint),
    Hand("gone", "sg-db-no-default-egress", "create", let_everything_out),
    Hand(
        "gone",
        "insights-logs",
        "create",
        lambda stack: stack.aws("logs").delete_log_group(logGroupName=INSIGHTS),
    ),
    Hand("altered", "db-subnets", "update", _narrow_the_group),
    Hand("altered", "db-parameters", "update", _tag_parameters),
    Hand("altered", "db-parameter-values", "update", _change_parameters),
    Hand("altered", "writer", "update", _open_the_instance),
    Hand("altered", "sessions-pitr", "update", _stop_backups),
    # No target answers that path: the group is unhealthy, and that is its drift, with the field beside it.
    Hand(
        "failed",
        "tg",
        "update",
        lambda stack: stack.aws("elbv2").modify_target_group(
            TargetGroupArn=stack.target_group["TargetGroupArn"], HealthCheckPath="/nowhere"
        ),
    ),
    Hand("altered", "tg-attributes", "update", _drain_at_once),
    Hand(
        "gone",
        "task",
        "create",
        lambda stack: stack.aws("ecs").deregister_task_definition(taskDefinition=stack.service["taskDefinition"]),
    ),
]
