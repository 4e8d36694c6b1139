"""What the database's instances are measured by besides CloudWatch, and the role that does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.iam import Role, RolePolicy
from provisioner.settings import Settings
from provisioner.steps.arns import arn
from provisioner.steps.boundary import capped
from provisioner.steps.facts import Facts

# Where enhanced monitoring of all databases of a region goes: the account's, never ours to make or delete.
_GROUP = "RDSOSMetrics"
# Performance Insights costs nothing for as long (Amazon RDS user guide, pricing and data retention).
_FREE_DAYS = 7


def measured(
    up: Piece, s: Settings, facts: Facts, instances: Iterable[str]
) -> tuple[dict[str, Any], list[Handle]]:
    """How these instances are measured, as CreateDBInstance takes it, and what must be there before."""
    wanted: dict[str, Any] = {
        "MonitoringInterval": s.database.monitoring,
        "EnablePerformanceInsights": s.database.insights,
    }
    if s.database.insights:
        wanted["PerformanceInsightsRetentionPeriod"] = _FREE_DAYS
    if not s.database.monitoring:
        return wanted, []
    role, policy = _role(up, s, facts, instances)
    return {**wanted, "MonitoringRoleArn": role["Arn"]}, [policy]


def _role(up: Piece, s: Settings, facts: Facts, instances: Iterable[str]) -> tuple[Handle, Handle]:
    """The role and its policy; RDS may take it for these instances alone.

    Amazon RDS user guide, USER_Monitoring.OS, protecting against the confused deputy problem.
    """
    ours = {
        "StringEquals": {"aws:SourceAccount": facts.account},
        "ArnLike": {"aws:SourceArn": [arn(up, facts, "rds", f"db:{name}") for name in instances]},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": ours,
    }
    role = up(
        Role,
        "monitor-role",
        noun="monitor-role",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [statement]},
        Description="Measures the database of ml-api",
        **capped(s),
    )
    policy = up(
        RolePolicy,
        "monitor-role-write",
        RoleName=role.id,
        PolicyName="write",
        PolicyDocument={"Version": "2012-10-17", "Statement": _statements(up, facts)},
    )
    return role, policy


def _statements(up: Piece, facts: Facts) -> list[dict[str, Any]]:
    """What AWS's own AmazonRDSEnhancedMonitoringRole allows, on the one group that it is for.

    In a policy the ARN of a group bears `:*` (CloudWatch Logs API reference, LogGroup).
    """
    group = arn(up, facts, "logs", f"log-group:{_GROUP}:*")
    streams = arn(up, facts, "logs", f"log-group:{_GROUP}:log-stream:*")
    writes = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"]
    return [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
            "Resource": [group],
        },
        {"Effect": "Allow", "Action": writes, "Resource": [streams]},
    ]
