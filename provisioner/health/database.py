"""The topic of the database: the status of its cluster and instances, and the ACU that each instance has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, line_or_unknown, status_line
from provisioner.health.metrics import Metric, read_metrics

# Aurora user guide, CloudWatch metrics of Aurora Serverless v2: one value a minute, some minutes late.
_WINDOW, _PERIOD = timedelta(minutes=15), 60


def database(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for the cluster, then for each instance its status and its ACU."""
    yield from context.lines("DBCluster", _cluster)
    yield from context.lines("DBInstance", lambda one, doc: _instance(context, one, doc))


def _cluster(one: ObservedResource, doc: JsonObject) -> HealthLine:
    """Return the line of the cluster: its status, its version, and the bounds of its capacity."""
    bounds = doc.get("ServerlessV2ScalingConfiguration", {})
    low, high = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    says = f"{doc['Status']}; {doc['EngineVersion']}; {low} to {high} ACU"
    facts = {"status": doc["Status"], "min_acu": low, "max_acu": high}
    return HealthLine(one.logical_id, says, status_line(one, doc["Status"], "available"), facts)


def _instance(context: HealthContext, one: ObservedResource, doc: JsonObject) -> Iterator[HealthLine]:
    """Yield an instance's status and its capacity in two lines, as the metric may be denied to the caller."""
    status = doc["DBInstanceStatus"]
    yield HealthLine(one.logical_id, status, status_line(one, status, "available"), {"status": status})
    yield from line_or_unknown(one.logical_id, lambda: _capacity(context, one, doc))


def _capacity(context: HealthContext, one: ObservedResource, doc: JsonObject) -> HealthLine:
    """Return the line of an instance's capacity now, in ACU, as CloudWatch last measured it."""
    where = {"DBInstanceIdentifier": doc["DBInstanceIdentifier"]}
    capacity = Metric("AWS/RDS", "ServerlessDatabaseCapacity", where, "Average")
    (values,) = read_metrics(context.clients, [capacity], context.now, _WINDOW, _PERIOD)
    now = values[0] if values else None
    says = "its ACU now is not measured yet" if now is None else f"{now:g} ACU now"
    return HealthLine(one.logical_id, says, "told", {"acu": now})
