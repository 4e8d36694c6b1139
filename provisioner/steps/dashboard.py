"""A CloudWatch dashboard with the metrics that the alarms watch."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import Step
from provisioner.resources.cloudwatch import Dashboard
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.settings import Settings
from provisioner.steps.metrics import AlarmMetric, MonitoredResources, firewall_alarm, stack_alarms

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3


def declare_dashboard(step: Step, settings: Settings, monitored: MonitoredResources) -> None:
    """Declare the dashboard: a widget per alarm, with its threshold as a line."""
    if not settings.alarms.dashboard:
        return
    regional = [(metric, step.stack.region) for metric in stack_alarms(settings, monitored)]
    global_metrics = [(firewall_alarm(settings, monitored.web_acl), GLOBAL_REGION)] if monitored.web_acl else []
    widgets = [
        _widget(position, metric, region) for position, (metric, region) in enumerate([*regional, *global_metrics])
    ]
    step(Dashboard, "dashboard", DashboardBody={"widgets": widgets})


def _widget(position: int, metric: AlarmMetric, region: str) -> dict[str, Any]:
    """Return the widget of an alarm's metric, placed in rows of three."""
    row, column = divmod(position, _COLUMNS)
    threshold_line = {"label": "alarm", "value": metric.props["Threshold"]}
    return {
        "type": "metric",
        "x": column * _WIDTH,
        "y": row * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": metric.description,
            "region": region,
            "view": "timeSeries",
            "metrics": _metric_rows(metric),
            "annotations": {"horizontal": [threshold_line]},
        },
    }


def _metric_rows(metric: AlarmMetric) -> list[list[Any]]:
    """Return the metrics as a dashboard takes them: `[namespace, metric, name, value, ..., {options}]`."""
    props = metric.props
    if "Metrics" not in props:
        stat = props.get("Statistic") or props["ExtendedStatistic"]
        return [_metric_row(props["Namespace"], props, {"stat": stat, "period": props["Period"]})]
    rows: list[list[Any]] = []
    for query in props["Metrics"]:
        if "Expression" in query:
            rows.append([{"id": query["Id"], "expression": query["Expression"]}])
            continue
        query_stat = query["MetricStat"]
        options = {"id": query["Id"], "stat": query_stat["Stat"], "period": query_stat["Period"], "visible": False}
        rows.append(_metric_row(query_stat["Metric"]["Namespace"], query_stat["Metric"], options))
    return rows


def _metric_row(namespace: str, metric: Any, options: dict[str, Any]) -> list[Any]:
    """Return one row of a widget's metrics."""
    dimensions = [part for dimension in metric["Dimensions"] for part in (dimension["Name"], dimension["Value"])]
    return [namespace, metric["MetricName"], *dimensions, options]
