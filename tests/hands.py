"""What somebody does to a standing stack by hand, in the console or with a script of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.emulator.behaviours import lag
from tests.standing import Standing, tags

Act = Callable[[Standing], Any]
CLUSTER, SERVICE, DATABASE = "ml-api-cluster-prod", "ml-api-service-prod", "ml-api-aurora-prod"
TABLE, TASKS_LOG = "ml-api-sessions-prod", "/aws/ecs/ml-api-prod"
TASK_ROLE = "ml-api-task-role-prod"
SCALING = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{CLUSTER}/{SERVICE}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@dataclass(frozen=True)
class Hand:
    """One deed, the node that it is done to, how `drift` calls that, and what `plan` does about it."""

    what: str
    node: str
    verb: str
    act: Act


def rule(stack: Standing, group: str, *, egress: bool) -> str:
    """The id of a rule of one of the groups."""
    rules = stack.ec2("describe_security_group_rules", "SecurityGroupRules", group_id=stack.group(group))
    return next(str(one["SecurityGroupRuleId"]) for one in rules if one["IsEgress"] is egress)


def table(stack: Standing, node: str) -> str:
    """The id of one of the route tables."""
    tables = stack.ec2("describe_route_tables", "RouteTables")
    return next(str(one["RouteTableId"]) for one in tables if tags(one["Tags"])["ml-api:node"] == node)


def _association(stack: Standing) -> str:
    listed = stack.ec2("describe_route_tables", "RouteTables")
    mine = next(one for one in listed if tags(one["Tags"])["ml-api:node"] == "routes-public")
    subnet = next(
        one["SubnetId"]
        for one in stack.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"] == "public-1"
    )
    return next(str(one["RouteTableAssociationId"]) for one in mine["Associations"] if one.get("SubnetId") == subnet)


def _unhook(stack: Standing) -> None:
    """The service, then the rules, the listener and the group that led to it."""
    stack.aws("ecs").delete_service(cluster=CLUSTER, service=SERVICE, force=True)
    group = stack.target_group["TargetGroupArn"]
    stack.aws("elbv2").delete_listener(ListenerArn=stack.listener["ListenerArn"])
    stack.aws("elbv2").delete_target_group(TargetGroupArn=group)


def _drop_database(stack: Standing) -> None:
    writer = stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    stack.aws("rds").delete_db_instance(DBInstanceIdentifier=writer, SkipFinalSnapshot=True)
    stack.aws("rds").delete_db_cluster(DBClusterIdentifier=DATABASE, SkipFinalSnapshot=True)


def _cut_the_way_out(stack: Standing) -> None:
    (gateway,) = stack.ec2("describe_nat_gateways", "NatGateways")
    stack.aws("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def _modify_rule(stack: Standing) -> None:
    group, source = stack.group("sg-db"), stack.group("sg-tasks")
    wide = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "ReferencedGroupId": source}
    one = {"SecurityGroupRuleId": rule(stack, "sg-db", egress=False), "SecurityGroupRule": wide}
    stack.aws("ec2").modify_security_group_rules(GroupId=group, SecurityGroupRules=[one])


def price_class(stack: Standing, name: str) -> None:
    """Where the distribution serves."""
    cloudfront = stack.aws("cloudfront")
    id_ = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    now = cloudfront.get_distribution_config(Id=id_)
    config = {**now["DistributionConfig"], "PriceClass": name}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)
    settle(lambda: cloudfront.get_distribution(Id=id_))


def settle(read: Callable[[], Any]) -> None:
    """Read until AWS no longer hides what was just done."""
    for _ in range(lag.MISSES + 1):
        read()


# Nothing of these stands on another one: all are done at once.
ALTERED = [
    Hand(
        "altered",
        "aurora",
        "update",
        lambda stack: stack.aws("rds").modify_db_cluster(
            DBClusterIdentifier=DATABASE,
            BackupRetentionPeriod=1,
            CloudwatchLogsExportConfiguration={"EnableLogTypes": ["instance"]},
            ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 8},
        ),
    ),
    Hand(
        "altered",
        "scaling",
        "update",
        lambda stack: stack.aws("application-autoscaling").register_scalable_target(**SCALING, MaxCapacity=99),
    ),
    Hand(
        "gone",
        "scaling-requests",
        "create",
        lambda stack: stack.aws("application-autoscaling").delete_scaling_policy(
            **SCALING, PolicyName="ml-api-requests-prod"
        ),
    ),
    Hand(
        "altered",
        "task-role",
        "update",
        lambda stack: stack.aws("iam").tag_role(RoleName=TASK_ROLE, Tags=[{"Key": "ml-api:node", "Value": "nobody"}]),
    ),
    Hand(
        "gone",
        "task-role-use",
        "create",
        lambda stack: stack.aws("iam").delete_role_policy(RoleName=TASK_ROLE, PolicyName="use"),
    ),
    Hand(
        "gone",
        "ecs-logs",
        "create",
        lambda stack: stack.aws("logs").delete_log_group(logGroupName=TASKS_LOG),
    ),
    Hand(
        "altered",
        "aurora-logs-retention",
        "update",
        lambda stack: stack.aws("logs").put_retention_policy(
            logGroupName=f"/aws/rds/cluster/{DATABASE}/postgresql", retentionInDays=1
        ),
    ),
    Hand(
        "altered",
        "sessions-ttl",
        "update",
        lambda stack: stack.aws("dynamodb").update_time_to_live(
            TableName=TABLE, TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"}
        ),
    ),
    Hand(
        "altered",
        "alb-attributes",
        "update",
        lambda stack: stack.aws("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=stack.balancer["LoadBalancerArn"],
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "5"}],
        ),
    ),
    Hand(
        "gone",
        "rule-api-v1",
        "create",
        lambda stack: stack.aws("elbv2").delete_rule(RuleArn=stack.rules["/api/v1/*"]["RuleArn"]),
    ),
    Hand(
        "altered",
        "rule-api-v2",
        "update",
        lambda stack: stack.aws("elbv2").modify_rule(
            RuleArn=stack.rules["/api/v2/*"]["RuleArn"],
            Conditions=[{"Field": "path-pattern", "Values": ["/api/v9/*"]}],
        ),
    ),
    Hand(
        "altered",
        "listener-80",
        "update",
        lambda stack: stack.aws("elbv2").modify_listener(ListenerArn=stack.listener["ListenerArn"], Port=8080),
    ),
    Hand("altered", "rule-tasks-db-in", "replace", _modify_rule),
    Hand(
        "gone",
        "rule-tasks-out",
        "create",
        lambda stack: stack.aws("ec2").revoke_security_group_egress(
            GroupId=stack.group("sg-tasks"),
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        ),
    ),
    Hand(
        "gone",
        "follows-public-1",
        "create",
        lambda stack: stack.aws("ec2").disassociate_route_table(AssociationId=_association(stack)),
    ),
    Hand(
        "gone",
        "route-public",
        "create",
        lambda stack: stack.aws("ec2").delete_route(
            RouteTableId=table(stack, "routes-public"), DestinationCidrBlock="0.0.0.0/0"
        ),
    ),
    Hand(
        "altered",
        "cluster",
        "update",
        lambda stack: stack.aws("ecs").update_cluster(
            cluster=CLUSTER, settings=[{"name": "containerInsights", "value": "disabled"}]
        ),
    ),
    Hand("altered", "edge", "update", lambda stack: price_class(stack, "PriceClass_All")),
]

# Whole pieces go, and what stood on them with them.
DELETED = [
    Hand("gone", "nat-1", "create", _cut_the_way_out),
    Hand("gone", "service", "create", _unhook),
    Hand("gone", "aurora", "create", _drop_database),
    Hand("gone", "sessions", "create", lambda stack: stack.aws("dynamodb").delete_table(TableName=TABLE)),
]
