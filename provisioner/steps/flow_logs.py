"""The VPC flow log, its log group, and the role that writes to it."""

from __future__ import annotations

from provisioner.engine.resource_graph.graph import Step
from provisioner.resources.ec2.flow_logs import FlowLog
from provisioner.resources.iam import Role, RolePolicy
from provisioner.resources.logs import LogGroup, Retention
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.boundary import boundary_property
from provisioner.steps.keys import Keys
from provisioner.steps.lookups import StackLookups
from provisioner.steps.vpc import Network


def declare_flow_logs(step: Step, settings: Settings, lookups: StackLookups, network: Network, keys: Keys) -> None:
    """Declare a flow log of accepted and rejected traffic, one record a minute, if the settings want it."""
    if not settings.network.flow_logs:
        return
    group = step(LogGroup, "vpc-logs", noun="vpc-logs", **keys.log_group_encryption(step.stack.region))
    step(Retention, "vpc-logs-retention", logGroupName=group.id, retentionInDays=settings.logs.days)
    role = step(
        Role,
        "flow-role",
        noun="flow-role",
        AssumeRolePolicyDocument=_trust_policy(step, lookups),
        Description="Writes the flow log of ml-api",
        **boundary_property(settings),
    )
    policy = step(
        RolePolicy,
        "flow-role-write",
        RoleName=role.id,
        PolicyName="write",
        PolicyDocument={"Version": "2012-10-17", "Statement": _statements(step, lookups, group.aws_name)},
    )
    step(
        FlowLog,
        "flow-log",
        ResourceIds=[network.vpc.id],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=group.id,
        DeliverLogsPermissionArn=role["Arn"],
        MaxAggregationInterval=60,
        depends_on=[policy],
    )


def _trust_policy(step: Step, lookups: StackLookups) -> dict[str, object]:
    """Return the trust policy: the service may assume the role only for flow logs of this account and region.

    Source: VPC user guide.
    """
    condition = {
        "StringEquals": {"aws:SourceAccount": lookups.account},
        "ArnLike": {"aws:SourceArn": arn(step, lookups, "ec2", "vpc-flow-log/*")},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _statements(step: Step, lookups: StackLookups, group: str) -> list[dict[str, object]]:
    """Return the role's statements, without the right to create a log group.

    A group that was deleted at teardown must not be created again.
    """
    group_arn = arn(step, lookups, "logs", f"log-group:{group}")
    streams = arn(step, lookups, "logs", f"log-group:{group}:*")
    writes = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    # DescribeLogGroups cannot be limited to one group (service authorization reference, CloudWatch Logs).
    any_group = arn(step, lookups, "logs", "log-group:*")
    return [
        {"Effect": "Allow", "Action": writes, "Resource": [group_arn, streams]},
        {"Effect": "Allow", "Action": ["logs:DescribeLogGroups"], "Resource": [any_group]},
    ]
