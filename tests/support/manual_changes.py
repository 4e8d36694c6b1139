"""What somebody does to a standing stack by hand, in the console or with a script of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.emulator.behaviours import lag
from tests.support.live_stack import LiveStack, tags

Act = Callable[[LiveStack], Any]
CLUSTER, SERVICE, DATABASE = "ml-api-cluster-prod", "ml-api-service-prod", "ml-api-aurora-prod"
TABLE, TASKS_LOG = "ml-api-sessions-prod", "/aws/ecs/ml-api-prod"
TASK_ROLE = "ml-api-task-role-prod"
SCALING = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{CLUSTER}/{SERVICE}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@dataclass(frozen=True)
class ManualChange:
    """One deed, the node that it is done to, how `drift` calls that, and what `plan` does about it."""

    what: str
    node: str
    verb: str
    act: Act


def rule(live_stack: LiveStack, group: str, *, egress: bool) -> str:
    """The id of a rule of one of the groups."""
    rules = live_stack.ec2("describe_security_group_rules", "SecurityGroupRules", group_id=live_stack.group(group))
    return next(str(one["SecurityGroupRuleId"]) for one in rules if one["IsEgress"] is egress)


def table(live_stack: LiveStack, node: str) -> str:
    """The id of one of the route tables."""
    tables = live_stack.ec2("describe_route_tables", "RouteTables")
    return next(str(one["RouteTableId"]) for one in tables if tags(one["Tags"])["ml-api:node"] == node)


def _association(live_stack: LiveStack) -> str:
    listed = live_stack.ec2("describe_route_tables", "RouteTables")
    mine = next(one for one in listed if tags(one["Tags"])["ml-api:node"] == "routes-public")
    subnet = next(
        one["SubnetId"]
        for one in live_stack.ec2("describe_subnets", "Subnets")
        if tags(one["Tags"])["ml-api:node"] == "public-1"
    )
    return next(str(one["RouteTableAssociationId"]) for one in mine["Associations"] if one.get("SubnetId") == subnet)


def _unhook(live_stack: LiveStack) -> None:
    """The service, then the rules, the listener and the group that led to it."""
    live_stack.aws("ecs").delete_service(cluster=CLUSTER, service=SERVICE, force=True)
    group = live_stack.target_group["TargetGroupArn"]
    live_stack.aws("elbv2").delete_listener(ListenerArn=live_stack.listener["ListenerArn"])
    live_stack.aws("elbv2").delete_target_group(TargetGroupArn=group)


def _drop_database(live_stack: LiveStack) -> None:
    writer = live_stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    live_stack.aws("rds").delete_db_instance(DBInstanceIdentifier=writer, SkipFinalSnapshot=True)
    live_stack.aws("rds").delete_db_cluster(DBClusterIdentifier=DATABASE, SkipFinalSnapshot=True)


def _cut_the_way_out(live_stack: LiveStack) -> None:
    (gateway,) = live_stack.ec2("describe_nat_gateways", "NatGateways")
    live_stack.aws("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def _modify_rule(live_stack: LiveStack) -> None:
    group, source = live_stack.group("sg-db"), live_stack.group("sg-tasks")
    wide = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "ReferencedGroupId": source}
    one = {"SecurityGroupRuleId": rule(live_stack, "sg-db", egress=False), "SecurityGroupRule": wide}
    live_stack.aws("ec2").modify_security_group_rules(GroupId=group, SecurityGroupRules=[one])


def price_class(live_stack: LiveStack, name: str) -> None:
    """Where the distribution serves."""
    cloudfront = live_stack.aws("cloudfront")
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
    ManualChange(
        "altered",
        "aurora",
        "update",
        lambda live_stack: live_stack.aws("rds").modify_db_cluster(
            DBClusterIdentifier=DATABASE,
            BackupRetentionPeriod=1,
            CloudwatchLogsExportConfiguration={"EnableLogTypes": ["instance"]},
            ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 8},
        ),
    ),
    ManualChange(
        "altered",
        "scaling",
        "update",
        lambda live_stack: live_stack.aws("application-autoscaling").register_scalable_target(
            **SCALING, MaxCapacity=99
        ),
    ),
    ManualChange(
        "gone",
        "scaling-requests",
        "create",
        lambda live_stack: live_stack.aws("application-autoscaling").delete_scaling_policy(
            **SCALING, PolicyName="ml-api-requests-prod"
        ),
    ),
    ManualChange(
        "altered",
        "task-role",
        "update",
        lambda live_stack: live_stack.aws("iam").tag_role(
            RoleName=TASK_ROLE, Tags=[{"Key": "ml-api:node", "Value": "nobody"}]
        ),
    ),
    ManualChange(
        "gone",
        "task-role-use",
        "create",
        lambda live_stack: live_stack.aws("iam").delete_role_policy(RoleName=TASK_ROLE, PolicyName="use"),
    ),
    ManualChange(
        "gone",
        "ecs-logs",
        "create",
        lambda live_stack: live_stack.aws("logs").delete_log_group(logGroupName=TASKS_LOG),
    ),
    ManualChange(
        "altered",
        "aurora-logs-retention",
        "update",
        lambda live_stack: live_stack.aws("logs").put_retention_policy(
            logGroupName=f"/aws/rds/cluster/{DATABASE}/postgresql", retentionInDays=1
        ),
    ),
    ManualChange(
        "altered",
        "sessions-ttl",
        "update",
        lambda live_stack: live_stack.aws("dynamodb").update_time_to_live(
            TableName=TABLE, TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"}
        ),
    ),
    ManualChange(
        "altered",
        "alb-attributes",
        "update",
        lambda live_stack: live_stack.aws("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=live_stack.balancer["LoadBalancerArn"],
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "5"}],
        ),
    ),
    ManualChange(
        "gone",
        "rule-api-v1",
        "create",
        lambda live_stack: live_stack.aws("elbv2").delete_rule(RuleArn=live_stack.rules["/api/v1/*"]["RuleArn"]),
    ),
    ManualChange(
        "altered",
        "rule-api-v2",
        "update",
        lambda live_stack: live_stack.aws("elbv2").modify_rule(
            RuleArn=live_stack.rules["/api/v2/*"]["RuleArn"],
            Conditions=[{"Field": "path-pattern", "Values": ["/api/v9/*"]}],
        ),
    ),
    ManualChange(
        "altered",
        "listener-80",
        "update",
        lambda live_stack: live_stack.aws("elbv2").modify_listener(
            ListenerArn=live_stack.listener["ListenerArn"], Port=8080
        ),
    ),
    ManualChange("altered", "rule-tasks-db-in", "replace", _modify_rule),
    ManualChange(
        "gone",
        "rule-tasks-out",
        "create",
        lambda live_stack: live_stack.aws("ec2").revoke_security_group_egress(
            GroupId=live_stack.group("sg-tasks"),
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        ),
    ),
    ManualChange(
        "gone",
        "follows-public-1",
        "create",
        lambda live_stack: live_stack.aws("ec2").disassociate_route_table(AssociationId=_association(live_stack)),
    ),
    ManualChange(
        "gone",
        "route-public",
        "create",
        lambda live_stack: live_stack.aws("ec2").delete_route(
            RouteTableId=table(live_stack, "routes-public"), DestinationCidrBlock="0.0.0.0/0"
        ),
    ),
    ManualChange(
        "altered",
        "cluster",
        "update",
        lambda live_stack: live_stack.aws("ecs").update_cluster(
            cluster=CLUSTER, settings=[{"name": "containerInsights", "value": "disabled"}]
        ),
    ),
    ManualChange("altered", "edge", "update", lambda live_stack: price_class(live_stack, "PriceClass_All")),
]

# Whole pieces go, and what stood on them with them.
DELETED = [
    ManualChange("gone", "nat-1", "create", _cut_the_way_out),
    ManualChange("gone", "service", "create", _unhook),
    ManualChange("gone", "aurora", "create", _drop_database),
    ManualChange(
        "gone", "sessions", "create", lambda live_stack: live_stack.aws("dynamodb").delete_table(TableName=TABLE)
    ),
]
