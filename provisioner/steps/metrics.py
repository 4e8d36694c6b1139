"""The metrics of a stack that alarms and dashboard use, with the thresholds of the alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle
from provisioner.settings import Settings
from provisioner.steps.alb import Balancer
from provisioner.steps.aurora import Database
from provisioner.steps.ecs import Compute

_FIVE_MINUTES = 300


@dataclass(frozen=True)
class MonitoredResources:
    """The resources that alarms watch."""

    front: Balancer
    tasks: Compute
    database: Database
    table: ResourceHandle
    firewall: ResourceHandle | None


@dataclass(frozen=True)
class AlarmMetric:
    """One alarm: the noun in its name, its description, and the arguments of PutMetricAlarm."""

    noun: str
    says: str
    props: Mapping[str, Any]
    # The name of the service that it is about; "" for the main service and for anything else.
    of: str = ""

    @property
    def node(self) -> str:
        """The logical id of the alarm."""
        return f"{self.noun}.{self.of}" if self.of else self.noun


def stack_metrics(settings: Settings, monitored: MonitoredResources) -> list[AlarmMetric]:
    """Return the alarms in the stack's region."""
    return [
        *_of_balancer(settings, monitored.front),
        *(_of_targets(monitored.front, name) for name in monitored.front.fronts),
        *(_of_tasks(monitored.tasks, name) for name in monitored.tasks.services),
        *_of_database(settings, monitored.database),
        _of_table(monitored.table),
    ]


def firewall_metrics(settings: Settings, acl: ResourceHandle) -> AlarmMetric:
    """Return the firewall's alarm, whose metric is in us-east-1."""
    where = {"WebACL": acl.aws_name, "Rule": "ALL"}
    blocked = _over("AWS/WAFV2", "BlockedRequests", where, settings.alarms.blocked, statistic="Sum")
    return AlarmMetric("alarm-waf", "The firewall blocks more than usual", blocked)


def _of_balancer(settings: Settings, front: Balancer) -> list[AlarmMetric]:
    space, alb = "AWS/ApplicationELB", {"LoadBalancer": front.alb["FullName"]}
    errors = settings.alarms.errors
    return [
        AlarmMetric(
            "alarm-5xx",
            "The load balancer answers with errors of its own",
            _over(space, "HTTPCode_ELB_5XX_Count", alb, errors, statistic="Sum"),
        ),
        AlarmMetric(
            "alarm-target-5xx",
            "The tasks answer with errors",
            _over(space, "HTTPCode_Target_5XX_Count", alb, errors, statistic="Sum"),
        ),
        AlarmMetric(
            "alarm-latency",
            "One request in a hundred takes too long",
            _over(space, "TargetResponseTime", alb, settings.alarms.latency, percentile="p99", periods=3),
        ),
    ]


def _of_targets(front: Balancer, name: str) -> AlarmMetric:
    group = {"LoadBalancer": front.alb["FullName"], "TargetGroup": front.fronts[name].target_group["FullName"]}
    unwell = _over("AWS/ApplicationELB", "UnHealthyHostCount", group, 0, statistic="Maximum", period=60, periods=5)
    return AlarmMetric("alarm-unhealthy", f"A task{_of(name)} does not pass its health check", unwell, name)


def _of(name: str) -> str:
    return f" of {name}" if name else ""


def _of_tasks(tasks: Compute, name: str) -> AlarmMetric:
    where = {"ClusterName": tasks.cluster.aws_name, "ServiceName": tasks.services[name].aws_name}
    missing = _sum_over(
        "ECS/ContainerInsights",
        {"desired": "DesiredTaskCount", "running": "RunningTaskCount"},
        where,
        "desired - running",
        statistic="Average",
    )
    says = f"Fewer tasks{_of(name)} run than should"
    return AlarmMetric("alarm-tasks", says, {**missing, "EvaluationPeriods": 2}, name)


def _of_database(settings: Settings, database: Database) -> list[AlarmMetric]:
    space, where = "AWS/RDS", {"DBClusterIdentifier": database.cluster.aws_name}
    return [
        AlarmMetric(
            "alarm-acu",
            "The database is at its largest capacity",
            _over(space, "ACUUtilization", where, settings.alarms.database_acu, periods=3),
        ),
        AlarmMetric(
            "alarm-db-cpu",
            "The database's CPU is busy",
            _over(space, "CPUUtilization", where, settings.alarms.database_cpu, periods=3),
        ),
        AlarmMetric(
            "alarm-db-connections",
            "The database has many connections",
            _over(space, "DatabaseConnections", where, settings.alarms.connections, statistic="Maximum"),
        ),
    ]


def _of_table(table: ResourceHandle) -> AlarmMetric:
    throttled = _sum_over(
        "AWS/DynamoDB",
        {"reads": "ReadThrottleEvents", "writes": "WriteThrottleEvents"},
        {"TableName": table.aws_name},
        "FILL(reads, 0) + FILL(writes, 0)",
        statistic="Sum",
    )
    return AlarmMetric("alarm-throttles", "The sessions table refuses requests", throttled)


def _over(
    space: str,
    metric: str,
    where: Mapping[str, Any],
    threshold: float,
    *,
    statistic: str = "Average",
    percentile: str = "",
    period: int = _FIVE_MINUTES,
    periods: int = 1,
) -> dict[str, Any]:
    """Return the arguments of an alarm on one metric.

    It alarms if the metric is over `threshold` for `periods` periods of `period` seconds.
    """
    measured = {"ExtendedStatistic": percentile} if percentile else {"Statistic": statistic}
    return {
        "Namespace": space,
        "MetricName": metric,
        "Dimensions": _dimensions(where),
        **measured,
        "Period": period,
        "EvaluationPeriods": periods,
        **_rings(float(threshold)),
    }


def _sum_over(
    space: str, metrics: Mapping[str, str], where: Mapping[str, Any], formula: str, *, statistic: str
) -> dict[str, Any]:
    """Return the arguments of an alarm on a formula over several metrics, whose value should be 0.

    `metrics` are the metric names by the names that the formula uses.
    """
    parts = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": space, "MetricName": metric, "Dimensions": _dimensions(where)},
                "Period": _FIVE_MINUTES,
                "Stat": statistic,
            },
            "ReturnData": False,
        }
        for name, metric in metrics.items()
    ]
    result = {"Id": "result", "Expression": formula, "ReturnData": True}
    return {"Metrics": [*parts, result], "EvaluationPeriods": 1, **_rings(0.0)}


def _rings(threshold: float) -> dict[str, Any]:
    """Return threshold and comparison. Missing data is not alarming, so an idle stack is quiet."""
    return {
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }


def _dimensions(where: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": name, "Value": value} for name, value in where.items()]
