"""The topic of the database: the status of its cluster and instances, and the ACU that each instance has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.measured import Metric, measured
from provisioner.health.scene import Line, Scene, Sight, asked, stated

# Aurora user guide, CloudWatch metrics of Aurora Serverless v2: one value a minute, some minutes late.
_WINDOW, _PERIOD = timedelta(minutes=15), 60


def database(scene: Scene) -> Iterator[Line]:
    """Yield a line for the cluster, then for each instance its status and its ACU."""
    yield from scene.tell("DBCluster", _cluster)
    yield from scene.tell("DBInstance", lambda one, doc: _instance(scene, one, doc))


def _cluster(one: Sight, doc: JsonObject) -> Line:
    """Return the line of the cluster: its status, its version, and the bounds of its capacity."""
    bounds = doc.get("ServerlessV2ScalingConfiguration", {})
    low, high = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    says = f"{doc['Status']}; {doc['EngineVersion']}; {low} to {high} ACU"
    facts = {"status": doc["Status"], "min_acu": low, "max_acu": high}
    return Line(one.node, says, stated(one, doc["Status"], "available"), facts)


def _instance(scene: Scene, one: Sight, doc: JsonObject) -> Iterator[Line]:
    """Yield an instance's status and its capacity in two lines, as the metric may be denied to the caller."""
    status = doc["DBInstanceStatus"]
    yield Line(one.node, status, stated(one, status, "available"), {"status": status})
    yield from asked(one.node, lambda: _capacity(scene, one, doc))


def _capacity(scene: Scene, one: Sight, doc: JsonObject) -> Line:
    """Return the line of an instance's capacity now, in ACU, as CloudWatch last measured it."""
    where = {"DBInstanceIdentifier": doc["DBInstanceIdentifier"]}
    capacity = Metric("AWS/RDS", "ServerlessDatabaseCapacity", where, "Average")
    (values,) = measured(scene.clients, [capacity], scene.now, _WINDOW, _PERIOD)
    now = values[0] if values else None
    says = "its ACU now is not measured yet" if now is None else f"{now:g} ACU now"
    return Line(one.node, says, "told", {"acu": now})
