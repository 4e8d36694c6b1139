"""The database: what its cluster and instances say, and how much capacity each has now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.refs import Doc
from provisioner.health.measured import Metric, measured
from provisioner.health.scene import Line, Scene, Sight, asked, stated

# Aurora user guide, CloudWatch metrics of Aurora Serverless v2: once a minute, some minutes late.
_WINDOW, _PERIOD = timedelta(minutes=15), 60


def database(scene: Scene) -> Iterator[Line]:
    """The cluster, then each instance with its ACU."""
    yield from scene.tell("DBCluster", _cluster)
    yield from scene.tell("DBInstance", lambda one, doc: _instance(scene, one, doc))


def _cluster(one: Sight, doc: Doc) -> Line:
    bounds = doc.get("ServerlessV2ScalingConfiguration", {})
    low, high = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    says = f"{doc['Status']}; {doc['EngineVersion']}; {low} to {high} ACU"
    facts = {"status": doc["Status"], "min_acu": low, "max_acu": high}
    return Line(one.node, says, stated(one, doc["Status"], "available"), facts)


def _instance(scene: Scene, one: Sight, doc: Doc) -> Iterator[Line]:
    """That its capacity may not be asked says nothing about the instance."""
    status = doc["DBInstanceStatus"]
    yield Line(one.node, status, stated(one, status, "available"), {"status": status})
    yield from asked(one.node, lambda: _capacity(scene, one, doc))


def _capacity(scene: Scene, one: Sight, doc: Doc) -> Line:
    where = {"DBInstanceIdentifier": doc["DBInstanceIdentifier"]}
    capacity = Metric("AWS/RDS", "ServerlessDatabaseCapacity", where, "Average")
    (values,) = measured(scene.clients, [capacity], scene.now, _WINDOW, _PERIOD)
    now = values[0] if values else None
    says = "its ACU now is not measured yet" if now is None else f"{now:g} ACU now"
    return Line(one.node, says, "told", {"acu": now})
