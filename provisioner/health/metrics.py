"""Recent values of CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisioner.engine.calls.clients import Clients

CALLS = {"cloudwatch": ("GetMetricData",)}


@dataclass(frozen=True)
class Metric:
    """A metric that AWS publishes: namespace, name, dimensions (`dimensions`) and statistic."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


def read_metrics(
    clients: Clients, metrics: Sequence[Metric], now: float, window: timedelta, period: int, region: str = ""
) -> list[list[float]]:
    """Return the recent values of metrics with GetMetricData.

    Args:
        clients: The clients to ask CloudWatch with.
        metrics: The metrics to read.
        now: The end of the time window, in wall-clock seconds.
        window: The length of the time window.
        period: The seconds that each value stands for.
        region: The region of the metrics; "" for the stack's region.

    Returns:
        For each metric its values, newest first; empty if CloudWatch has none.

    """
    if not metrics:
        return []
    cloudwatch = clients.client("cloudwatch", region)
    end = datetime.fromtimestamp(now, UTC)
    queries = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions.items()],
                },
                "Period": period,
                "Stat": metric.statistic,
            },
        }
        for index, metric in enumerate(metrics)
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=end - window, EndTime=end, ScanBy="TimestampDescending"
    )
    values: dict[str, list[float]] = {}
    for result in answer["MetricDataResults"]:
        values.setdefault(result["Id"], []).extend(result["Values"])
    return [values.get(query["Id"], []) for query in queries]  # type: ignore[call-overload]
