"""One thing of every other kind, altered or deleted by hand."""

from __future__ import annotations

from tests.support.live_stack import LiveStack, tags
from tests.support.manual_changes import CLUSTER, TABLE, ManualChange
from tests.support.manual_children import let_everything_out

INSIGHTS = f"/aws/ecs/containerinsights/{CLUSTER}/performance"


def _tag(what: str, key: str, id_: str, node: str) -> ManualChange:
    """A tag that nobody declared, on a resource of EC2."""

    def act(live_stack: LiveStack) -> None:
        listed = live_stack.ec2(what, key)
        mine = next(one[id_] for one in listed if tags(one["Tags"])["ml-api:node"] == node)
        live_stack.aws("ec2").create_tags(Resources=[mine], Tags=[{"Key": "by", "Value": "hand"}])

    return ManualChange("altered", node, "update", act)


def _parameters(live_stack: LiveStack) -> str:
    return str(live_stack.cluster["DBClusterParameterGroup"])


def _turn_dns_off(live_stack: LiveStack) -> None:
    live_stack.aws("ec2").modify_vpc_attribute(VpcId=live_stack.vpc, EnableDnsHostnames={"Value": False})
    live_stack.aws("ec2").modify_vpc_attribute(VpcId=live_stack.vpc, EnableDnsSupport={"Value": False})


def _open_a_subnet(live_stack: LiveStack) -> None:
    subnets = live_stack.ec2("describe_subnets", "Subnets")
    mine = next(one["SubnetId"] for one in subnets if tags(one["Tags"])["ml-api:node"] == "public-2")
    live_stack.aws("ec2").modify_subnet_attribute(SubnetId=mine, MapPublicIpOnLaunch={"Value": True})


def _endpoint(live_stack: LiveStack) -> None:
    found = live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    mine = next(one["VpcEndpointId"] for one in found if one["ServiceName"].endswith(".s3"))
    live_stack.aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[mine])


def _narrow_the_group(live_stack: LiveStack) -> None:
    rds, name = live_stack.aws("rds"), live_stack.cluster["DBSubnetGroup"]
    (group,) = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    two = [one["SubnetIdentifier"] for one in group["Subnets"]][:2]
    rds.modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=two)


def _tag_parameters(live_stack: LiveStack) -> None:
    rds, name = live_stack.aws("rds"), _parameters(live_stack)
    (group,) = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)["DBClusterParameterGroups"]
    arn = group["DBClusterParameterGroupArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "by", "Value": "hand"}])


def _change_parameters(live_stack: LiveStack) -> None:
    one = {"ParameterName": "log_min_duration_statement", "ParameterValue": "1", "ApplyMethod": "immediate"}
    live_stack.aws("rds").modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=_parameters(live_stack), Parameters=[one]
    )


def _open_the_instance(live_stack: LiveStack) -> None:
    writer = live_stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    live_stack.aws("rds").modify_db_instance(
        DBInstanceIdentifier=writer, PubliclyAccessible=True, ApplyImmediately=True
    )


def _stop_backups(live_stack: LiveStack) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    live_stack.aws("dynamodb").update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=off)


def _drain_at_once(live_stack: LiveStack) -> None:
    live_stack.aws("elbv2").modify_target_group_attributes(
        TargetGroupArn=live_stack.target_group["TargetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
    )


TOUCHED = [
    _tag("describe_subnets", "Subnets", "SubnetId", "public-1"),
    ManualChange("altered", "public-2", "update", _open_a_subnet),
    _tag("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "igw"),
    _tag("describe_addresses", "Addresses", "AllocationId", "eip-1"),
    ManualChange("altered", "vpc-dns-hostnames", "update", _turn_dns_off),
    ManualChange("altered", "vpc-dns-support", "update", lambda _stack: None),
    ManualChange("gone", "endpoint-s3", "create", _endpoint),
    ManualChange("gone", "sg-db-no-default-egress", "create", let_everything_out),
    ManualChange(
        "gone",
        "insights-logs",
        "create",
        lambda live_stack: live_stack.aws("logs").delete_log_group(logGroupName=INSIGHTS),
    ),
    ManualChange("altered", "db-subnets", "update", _narrow_the_group),
    ManualChange("altered", "db-parameters", "update", _tag_parameters),
    ManualChange("altered", "db-parameter-values", "update", _change_parameters),
    ManualChange("altered", "writer", "update", _open_the_instance),
    ManualChange("altered", "sessions-pitr", "update", _stop_backups),
    # No target answers that path: the group is unhealthy, and that is its drift, with the field beside it.
    ManualChange(
        "failed",
        "tg",
        "update",
        lambda live_stack: live_stack.aws("elbv2").modify_target_group(
            TargetGroupArn=live_stack.target_group["TargetGroupArn"], HealthCheckPath="/nowhere"
        ),
    ),
    ManualChange("altered", "tg-attributes", "update", _drain_at_once),
    ManualChange(
        "gone",
        "task",
        "create",
        lambda live_stack: live_stack.aws("ecs").deregister_task_definition(
            taskDefinition=live_stack.service["taskDefinition"]
        ),
    ),
]
