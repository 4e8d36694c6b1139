"""The topic of the firewall: how many requests each rule blocked in the last hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.measured import Metric, measured
from provisioner.health.scene import Line, Scene, Sight

# The metrics of a web ACL for CloudFront are in this region, whatever the stack's region is.
_REGION = "us-east-1"
_WINDOW, _PERIOD = timedelta(hours=1), 300


def firewall(scene: Scene) -> Iterator[Line]:
    """Return a line for each rule of the web ACL."""

    def line(one: Sight, doc: JsonObject) -> Iterator[Line]:
        rules = doc["Rules"]
        metrics = [_blocked(doc, rule) for rule in rules]
        told = measured(scene.clients, metrics, scene.now, _WINDOW, _PERIOD, _REGION)
        for rule, count in zip(rules, map(sum, told), strict=True):
            says = f"blocked {count:.0f} in the last hour"
            yield Line(f"{one.node}.{rule['Name']}", says, "told", {"blocked": round(count)})

    return scene.tell("WebACL", line)


def _blocked(doc: JsonObject, rule: JsonObject) -> Metric:
    """Return the metric of the requests that a rule blocked.

    Its dimensions are the metric names of web ACL and rule, not their names (WAF developer guide, metrics and
    dimensions).
    """
    where = {
        "WebACL": doc["VisibilityConfig"]["MetricName"],
        "Rule": rule["VisibilityConfig"]["MetricName"],
    }
    return Metric("AWS/WAFV2", "BlockedRequests", where, "Sum")
