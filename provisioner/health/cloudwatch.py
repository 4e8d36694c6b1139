"""Recent values of CloudWatch metrics, and the topic of alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from provisioner.engine.calls.clients import Clients
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, ObservedResource
from provisioner.service_clients import CloudWatch

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

CALLS = {"cloudwatch": ("GetMetricData",)}


@dataclass(frozen=True)
class Metric:
    """A metric that AWS publishes, for the resource that the dimensions name, and the statistic to read of it."""

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
    cloudwatch = clients.client(CloudWatch, region)
    end = datetime.fromtimestamp(now, UTC)
    queries: list[MetricDataQueryTypeDef] = [
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
    return [values.get(query["Id"], []) for query in queries]


_IN_ALARM, _OK, _NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
# The ARN of a subscription that its recipient has not confirmed (SNS API reference,
# ListSubscriptionsByTopic).
_PENDING = "PendingConfirmation"


def alarms(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each alarm that rings or could not be read, and one that counts all the others."""
    lines = list(context.lines_of_type("Alarm", _alarm_line))
    yield from (line for line in lines if line.status != "healthy")
    states = Counter(line.facts["state"] for line in lines if line.status == "healthy")
    if states:
        text = f"{states[_OK]} OK, {states[_NO_DATA]} without data"
        name = "all" if len(lines) == states.total() else "others"
        yield HealthLine(name, text, "healthy", {"states": dict(states)})
    yield from context.lines_of_type("Subscription", _unconfirmed_subscription)


def _unconfirmed_subscription(subscription: ObservedResource, actual: JsonObject) -> list[HealthLine]:
    """Return a line for a subscription that nobody confirmed: SNS sends it nothing."""
    if actual["SubscriptionArn"] != _PENDING:
        return []
    text = f"{actual['Endpoint']} has not confirmed the subscription, so SNS sends nothing there"
    return [HealthLine(subscription.logical_id, text, "info", {"endpoint": actual["Endpoint"]})]


def _alarm_line(alarm: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of an alarm: for a ringing one its description and CloudWatch's reason."""
    state = actual["StateValue"]
    description = (actual.get("AlarmDescription", ""), actual.get("StateReason", ""))
    if state == _IN_ALARM:
        return HealthLine(
            alarm.logical_id, f"in alarm: {' '.join(filter(None, description))}", "unhealthy", {"state": state}
        )
    return HealthLine(alarm.logical_id, "", "healthy", {"state": state})
