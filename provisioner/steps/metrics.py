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

    balancer: Balancer
    tasks: Compute
    database: Database
    table: ResourceHandle
    web_acl: ResourceHandle | None


@dataclass(frozen=True)
class AlarmMetric:
    """One alarm: the noun in its name, its description, and the arguments of PutMetricAlarm."""

    noun: str
    description: str
    props: Mapping[str, Any]
    # The name of the service that it is about; "" for the main service and for anything else.
    service_name: str = ""

    @property
    def logical_id(self) -> str:
        """The logical id of the alarm."""
        return f"{self.noun}.{self.service_name}" if self.service_name else self.noun


def stack_alarms(settings: Settings, monitored: MonitoredResources) -> list[AlarmMetric]:
    """Return the alarms in the stack's region."""
    return [
        *_balancer_alarms(settings, monitored.balancer),
        *(_target_alarm(monitored.balancer, name) for name in monitored.balancer.routing),
        *(_task_alarm(monitored.tasks, name) for name in monitored.tasks.services),
        *_database_alarms(settings, monitored.database),
        _table_alarm(monitored.table),
    ]


def firewall_alarm(settings: Settings, acl: ResourceHandle) -> AlarmMetric:
    """Return the firewall's alarm, whose metric is in us-east-1."""
    dimensions = {"WebACL": acl.aws_name, "Rule": "ALL"}
    blocked = _threshold_alarm("AWS/WAFV2", "BlockedRequests", dimensions, settings.alarms.blocked, statistic="Sum")
    return AlarmMetric("alarm-waf", "The firewall blocks more than usual", blocked)


def _balancer_alarms(settings: Settings, balancer: Balancer) -> list[AlarmMetric]:
    """Return the alarms on the load balancer: its errors, the tasks' errors, the response time."""
    namespace, dimensions = "AWS/ApplicationELB", {"LoadBalancer": balancer.alb["FullName"]}
    errors = settings.alarms.errors
    return [
        AlarmMetric(
            "alarm-5xx",
            "The load balancer answers with errors of its own",
            _threshold_alarm(namespace, "HTTPCode_ELB_5XX_Count", dimensions, errors, statistic="Sum"),
        ),
        AlarmMetric(
            "alarm-target-5xx",
            "The tasks answer with errors",
            _threshold_alarm(namespace, "HTTPCode_Target_5XX_Count", dimensions, errors, statistic="Sum"),
        ),
        AlarmMetric(
            "alarm-latency",
            "One request in a hundred takes too long",
            _threshold_alarm(
                namespace, "TargetResponseTime", dimensions, settings.alarms.latency, percentile="p99", periods=3
            ),
        ),
    ]


def _target_alarm(balancer: Balancer, name: str) -> AlarmMetric:
    """Return the alarm on tasks that fail their health check."""
    dimensions = {
        "LoadBalancer": balancer.alb["FullName"],
        "TargetGroup": balancer.routing[name].target_group["FullName"],
    }
    unhealthy = _threshold_alarm(
        "AWS/ApplicationELB", "UnHealthyHostCount", dimensions, 0, statistic="Maximum", period=60, periods=5
    )
    return AlarmMetric("alarm-unhealthy", f"A task{_of_service(name)} does not pass its health check", unhealthy, name)


def _of_service(name: str) -> str:
    """Return " of NAME" for a further service, "" for the main one."""
    return f" of {name}" if name else ""


def _task_alarm(tasks: Compute, name: str) -> AlarmMetric:
    """Return the alarm on fewer running tasks than desired."""
    dimensions = {"ClusterName": tasks.cluster.aws_name, "ServiceName": tasks.services[name].aws_name}
    missing = _formula_alarm(
        "ECS/ContainerInsights",
        {"desired": "DesiredTaskCount", "running": "RunningTaskCount"},
        dimensions,
        "desired - running",
        statistic="Average",
    )
    description = f"Fewer tasks{_of_service(name)} run than should"
    return AlarmMetric("alarm-tasks", description, {**missing, "EvaluationPeriods": 2}, name)


def _database_alarms(settings: Settings, database: Database) -> list[AlarmMetric]:
    """Return the alarms on the database: its capacity, CPU and connections."""
    namespace, dimensions = "AWS/RDS", {"DBClusterIdentifier": database.cluster.aws_name}
    return [
        AlarmMetric(
            "alarm-acu",
            "The database is at its largest capacity",
            _threshold_alarm(namespace, "ACUUtilization", dimensions, settings.alarms.database_acu, periods=3),
        ),
        AlarmMetric(
            "alarm-db-cpu",
            "The database's CPU is busy",
            _threshold_alarm(namespace, "CPUUtilization", dimensions, settings.alarms.database_cpu, periods=3),
        ),
        AlarmMetric(
            "alarm-db-connections",
            "The database has many connections",
            _threshold_alarm(
                namespace, "DatabaseConnections", dimensions, settings.alarms.connections, statistic="Maximum"
            ),
        ),
    ]


def _table_alarm(table: ResourceHandle) -> AlarmMetric:
    """Return the alarm on requests that the table throttles."""
    throttled = _formula_alarm(
        "AWS/DynamoDB",
        {"reads": "ReadThrottleEvents", "writes": "WriteThrottleEvents"},
        {"TableName": table.aws_name},
        "FILL(reads, 0) + FILL(writes, 0)",
        statistic="Sum",
    )
    return AlarmMetric("alarm-throttles", "The sessions table refuses requests", throttled)


def _threshold_alarm(
    namespace: str,
    metric: str,
    dimensions: Mapping[str, Any],
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
    statistic_property = {"ExtendedStatistic": percentile} if percentile else {"Statistic": statistic}
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": _to_dimensions(dimensions),
        **statistic_property,
        "Period": period,
        "EvaluationPeriods": periods,
        **_alarm_condition(float(threshold)),
    }


def _formula_alarm(
    namespace: str, metrics: Mapping[str, str], dimensions: Mapping[str, Any], formula: str, *, statistic: str
) -> dict[str, Any]:
    """Return the arguments of an alarm on a formula over several metrics, whose value should be 0.

    `metrics` are the metric names by the names that the formula uses.
    """
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": _to_dimensions(dimensions)},
                "Period": _FIVE_MINUTES,
                "Stat": statistic,
            },
            "ReturnData": False,
        }
        for name, metric in metrics.items()
    ]
    result = {"Id": "result", "Expression": formula, "ReturnData": True}
    return {"Metrics": [*queries, result], "EvaluationPeriods": 1, **_alarm_condition(0.0)}


def _alarm_condition(threshold: float) -> dict[str, Any]:
    """Return threshold and comparison. Missing data is not alarming, so an idle stack is quiet."""
    return {"Threshold": threshold, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}


def _to_dimensions(dimensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return dimensions as CloudWatch takes them."""
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
