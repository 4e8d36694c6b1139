"""A CloudWatch dashboard with the metrics that the alarms watch."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import Step
from provisioner.resources.cloudwatch import Dashboard
from provisioner.resources.tagging import GLOBAL_REGION
from provisioner.settings import Settings
from provisioner.steps.metrics import AlarmMetric, MonitoredResources, firewall_metrics, stack_metrics

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3


def dashboard(step: Step, settings: Settings, monitored: MonitoredResources) -> None:
    """Declare the dashboard: a widget per alarm, with its threshold as a line."""
    if not settings.alarms.dashboard:
        return
    here = [(measure, step.stack.region) for measure in stack_metrics(settings, monitored)]
    far = [(firewall_metrics(settings, monitored.firewall), GLOBAL_REGION)] if monitored.firewall else []
    widgets = [_widget(at, measure, region) for at, (measure, region) in enumerate([*here, *far])]
    step(Dashboard, "dashboard", DashboardBody={"widgets": widgets})


def _widget(at: int, measure: AlarmMetric, region: str) -> dict[str, Any]:
    row, column = divmod(at, _COLUMNS)
    line = {"label": "alarm", "value": measure.props["Threshold"]}
    return {
        "type": "metric",
        "x": column * _WIDTH,
        "y": row * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": measure.says,
            "region": region,
            "view": "timeSeries",
            "metrics": _metrics(measure),
            "annotations": {"horizontal": [line]},
        },
    }


def _metrics(measure: AlarmMetric) -> list[list[Any]]:
    """Return the metrics as a dashboard takes them: `[namespace, metric, name, value, ..., {options}]`."""
    props = measure.props
    if "Metrics" not in props:
        stat = props.get("Statistic") or props["ExtendedStatistic"]
        return [_line(props["Namespace"], props, {"stat": stat, "period": props["Period"]})]
    drawn: list[list[Any]] = []
    for one in props["Metrics"]:
        if "Expression" in one:
            drawn.append([{"id": one["Id"], "expression": one["Expression"]}])
            continue
        asked = one["MetricStat"]
        options = {"id": one["Id"], "stat": asked["Stat"], "period": asked["Period"], "visible": False}
        drawn.append(_line(asked["Metric"]["Namespace"], asked["Metric"], options))
    return drawn


def _line(space: str, metric: Any, options: dict[str, Any]) -> list[Any]:
    where = [part for one in metric["Dimensions"] for part in (one["Name"], one["Value"])]
    return [space, metric["MetricName"], *where, options]
