"""The topic of the database: the status of its cluster and instances, and the ACU that each instance has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.cloudwatch import Metric, read_metrics
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, line_or_unknown, line_status

# Aurora user guide, CloudWatch metrics of Aurora Serverless v2: one value a minute, some minutes late.
_METRIC_WINDOW, _METRIC_PERIOD = timedelta(minutes=15), 60


def database(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for the cluster, then for each instance its status and its ACU."""
    yield from context.lines_of_type("DBCluster", _cluster_line)
    yield from context.lines_of_type("DBInstance", lambda instance, actual: _instance_lines(context, instance, actual))


def _cluster_line(cluster: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of the cluster: its status, its version, and the bounds of its capacity."""
    bounds = actual.get("ServerlessV2ScalingConfiguration", {})
    min_acu, max_acu = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    text = f"{actual['Status']}; {actual['EngineVersion']}; {min_acu} to {max_acu} ACU"
    facts = {"status": actual["Status"], "min_acu": min_acu, "max_acu": max_acu}
    return HealthLine(cluster.logical_id, text, line_status(cluster, actual["Status"], "available"), facts)


def _instance_lines(context: HealthContext, instance: ObservedResource, actual: JsonObject) -> Iterator[HealthLine]:
    """Yield an instance's status and its capacity in two lines, as the metric may be denied to the caller."""
    status = actual["DBInstanceStatus"]
    yield HealthLine(instance.logical_id, status, line_status(instance, status, "available"), {"status": status})
    yield from line_or_unknown(instance.logical_id, lambda: _capacity_line(context, instance, actual))


def _capacity_line(context: HealthContext, instance: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of an instance's capacity now, in ACU, as CloudWatch last measured it."""
    dimensions = {"DBInstanceIdentifier": actual["DBInstanceIdentifier"]}
    capacity = Metric("AWS/RDS", "ServerlessDatabaseCapacity", dimensions, "Average")
    (values,) = read_metrics(context.clients, [capacity], context.now, _METRIC_WINDOW, _METRIC_PERIOD)
    acu = values[0] if values else None
    text = "its ACU now is not measured yet" if acu is None else f"{acu:g} ACU now"
    return HealthLine(instance.logical_id, text, "info", {"acu": acu})
