"""What CloudWatch has measured lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisioner.engine.clients import Clients

CALLS = {"cloudwatch": ("GetMetricData",)}


@dataclass(frozen=True)
class Metric:
    """One metric of AWS's own, by its namespace, name and dimensions."""

    space: str
    name: str
    where: Mapping[str, str]
    statistic: str


def measured(
    clients: Clients, metrics: Sequence[Metric], now: float, window: timedelta, period: int, region: str = ""
) -> list[list[float]]:
    """GetMetricData: what each was in the window before `now`, newest first; empty where nothing was."""
    if not metrics:
        return []
    cloudwatch = clients.client("cloudwatch", region)
    end = datetime.fromtimestamp(now, UTC)
    queries = [
        {
            "Id": f"m{at}",
            "MetricStat": {
                "Metric": {
                    "Namespace": one.space,
                    "MetricName": one.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in one.where.items()],
                },
                "Period": period,
                "Stat": one.statistic,
            },
        }
        for at, one in enumerate(metrics)
    ]
    found = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=end - window, EndTime=end, ScanBy="TimestampDescending"
    )
    values: dict[str, list[float]] = {}
    for result in found["MetricDataResults"]:
        values.setdefault(result["Id"], []).extend(result["Values"])
    return [values.get(query["Id"], []) for query in queries]  # type: ignore[call-overload]
