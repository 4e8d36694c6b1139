"""CloudWatch metrics that AWS services publish: values set by a test, and the capacity of idle databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.patches.rds_clusters import clusters, instances
from provisioner.emulator.wire import AccountRegion, Call

# The current value of each metric, by namespace, name and dimensions.
measures: AccountStore[float] = AccountStore()


def measure(place: AccountRegion, space: str, metric: str, value: float, **where: str) -> None:
    """Set the value that a metric of an AWS service has from now on.

    `space` is the metric's namespace; the keywords `where` are its dimensions.
    """
    measures.of(place)[_key(space, metric, where)] = value


def _key(space: str, metric: str, where: dict[str, str]) -> str:
    """Return the key of a metric: its namespace, name and dimensions."""
    return json.dumps([space, metric, sorted(where.items())])


@always.after("cloudwatch", "GetMetricData")
def own_metrics(call: Call, reply: Reply) -> None:
    """Answer each metric query with one data point, of now; a metric without a value gets none."""
    metric_queries = (query for query in call.params["MetricDataQueries"] if "MetricStat" in query)
    queries = {query["Id"]: query["MetricStat"] for query in metric_queries}
    for result in reply["MetricDataResults"]:
        value = _value(call, queries[result["Id"]]["Metric"]) if result["Id"] in queries else None
        if value is not None:
            result |= {"Timestamps": [datetime.fromtimestamp(clock.now(), UTC)], "Values": [value]}


def _value(call: Call, metric: dict[str, Any]) -> float | None:
    """Return the value of a metric: the one that was set, or the capacity of an idle Aurora instance."""
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    value = measures.of(call).get(_key(metric["Namespace"], metric["MetricName"], dimensions))
    if value is None and metric["MetricName"] == "ServerlessDatabaseCapacity":
        return _capacity(call, dimensions.get("DBInstanceIdentifier", ""))
    return value


def _capacity(call: Call, name: str) -> float | None:
    """Return the smallest capacity of an instance's cluster, since the instance is idle.

    Source: Aurora user guide, Serverless v2 scaling.
    """
    instance = instances(call).get(name)
    cluster = clusters(call).get(instance.db_cluster_identifier) if instance else None
    bounds = cluster.serverless_v2_scaling_configuration if cluster else None
    return float(bounds["MinCapacity"]) if bounds else None
