"""Enhanced monitoring and Performance Insights of the database instances, and the monitoring role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.iam import Role, RolePolicy
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.boundary import boundary_property
from provisioner.steps.lookups import StackLookups

# The log group for enhanced monitoring of all databases of a region. It is the account's: not created or
# deleted by the stack.
_LOG_GROUP = "RDSOSMetrics"
# Performance Insights is free for this retention (Amazon RDS user guide, pricing and data retention).
_FREE_DAYS = 7


def declare_monitoring(
    step: Step, settings: Settings, lookups: StackLookups, instances: Iterable[str]
) -> tuple[dict[str, Any], list[ResourceHandle]]:
    """Return the monitoring arguments of CreateDBInstance, and what must exist before the instances.

    `instances` are the names of the database instances.
    """
    properties: dict[str, Any] = {
        "MonitoringInterval": settings.database.monitoring,
        "EnablePerformanceInsights": settings.database.insights,
    }
    if settings.database.insights:
        properties["PerformanceInsightsRetentionPeriod"] = _FREE_DAYS
    if not settings.database.monitoring:
        return properties, []
    role, policy = _declare_role(step, settings, lookups, instances)
    return {**properties, "MonitoringRoleArn": role["Arn"]}, [policy]


def _declare_role(
    step: Step, settings: Settings, lookups: StackLookups, instances: Iterable[str]
) -> tuple[ResourceHandle, ResourceHandle]:
    """Declare the monitoring role and its policy; RDS may assume the role for these instances only.

    Amazon RDS user guide, USER_Monitoring.OS, protecting against the confused deputy problem.
    """
    condition = {
        "StringEquals": {"aws:SourceAccount": lookups.account},
        "ArnLike": {"aws:SourceArn": [arn(step, lookups, "rds", f"db:{name}") for name in instances]},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    role = step(
        Role,
        "monitor-role",
        noun="monitor-role",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [statement]},
        Description="Measures the database of ml-api",
        **boundary_property(settings),
    )
    policy = step(
        RolePolicy,
        "monitor-role-write",
        RoleName=role.id,
        PolicyName="write",
        PolicyDocument={"Version": "2012-10-17", "Statement": _statements(step, lookups)},
    )
    return role, policy


def _statements(step: Step, lookups: StackLookups) -> list[dict[str, Any]]:
    """Return the statements of AWS's AmazonRDSEnhancedMonitoringRole, limited to its one log group.

    In a policy the ARN of a log group ends with `:*` (CloudWatch Logs API reference, LogGroup).
    """
    group = arn(step, lookups, "logs", f"log-group:{_LOG_GROUP}:*")
    streams = arn(step, lookups, "logs", f"log-group:{_LOG_GROUP}:log-stream:*")
    writes = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"]
    return [
        {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"], "Resource": [group]},
        {"Effect": "Allow", "Action": writes, "Resource": [streams]},
    ]
