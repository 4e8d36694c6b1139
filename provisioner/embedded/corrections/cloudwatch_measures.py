"""CloudWatch: what AWS's own services measure of themselves, where a test says so or a state tells it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from provisioner.embedded.answers import Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.corrections.rds_clusters import clusters, instances
from provisioner.embedded.hooks import always
from provisioner.embedded.shelf import Shelf
from provisioner.embedded.wire import Call, Place

# The value of each metric now, by what names it.
measures: Shelf[float] = Shelf()


def measure(place: Place, space: str, metric: str, value: float, **where: str) -> None:
    """Let a metric of AWS's own have this value from now on."""
    measures.of(place)[_key(space, metric, where)] = value


def _key(space: str, metric: str, where: dict[str, str]) -> str:
    return json.dumps([space, metric, sorted(where.items())])


@always.after("cloudwatch", "GetMetricData")
def own_metrics(call: Call, reply: Reply) -> None:
    """Tell one point, of now; a metric that nothing was measured of has none."""
    asked = (query for query in call.params["MetricDataQueries"] if "MetricStat" in query)
    queries = {query["Id"]: query["MetricStat"] for query in asked}
    for result in reply["MetricDataResults"]:
        value = _value(call, queries[result["Id"]]["Metric"]) if result["Id"] in queries else None
        if value is not None:
            result |= {"Timestamps": [datetime.fromtimestamp(clock.now(), UTC)], "Values": [value]}


def _value(call: Call, metric: dict[str, Any]) -> float | None:
    where = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    said = measures.of(call).get(_key(metric["Namespace"], metric["MetricName"], where))
    if said is None and metric["MetricName"] == "ServerlessDatabaseCapacity":
        return _capacity(call, where.get("DBInstanceIdentifier", ""))
    return said


def _capacity(call: Call, name: str) -> float | None:
    """An idle instance is at its cluster's smallest capacity (Aurora user guide, Serverless v2 scaling)."""
    found = instances(call).get(name)
    cluster = clusters(call).get(found.db_cluster_identifier) if found else None
    bounds = cluster.serverless_v2_scaling_configuration if cluster else None
    return float(bounds["MinCapacity"]) if bounds else None
