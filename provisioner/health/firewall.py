"""The firewall: how many requests each of its rules has blocked lately."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.refs import Doc
from provisioner.health.measured import Metric, measured
from provisioner.health.scene import Line, Scene, Sight

# What stands before CloudFront is measured there, whatever the stack's region.
_REGION = "us-east-1"
_WINDOW, _PERIOD = timedelta(hours=1), 300


def firewall(scene: Scene) -> Iterator[Line]:
    """A line a rule."""

    def line(one: Sight, doc: Doc) -> Iterator[Line]:
        rules = doc["Rules"]
        metrics = [_blocked(doc, rule) for rule in rules]
        told = measured(scene.clients, metrics, scene.now, _WINDOW, _PERIOD, _REGION)
        for rule, count in zip(rules, map(sum, told), strict=True):
            says = f"blocked {count:.0f} in the last hour"
            yield Line(f"{one.node}.{rule['Name']}", says, "told", {"blocked": round(count)})

    return scene.tell("WebACL", line)


def _blocked(doc: Doc, rule: Doc) -> Metric:
    """Both dimensions are metric names, not names (WAF developer guide, metrics and dimensions)."""
    where = {
        "WebACL": doc["VisibilityConfig"]["MetricName"],
        "Rule": rule["VisibilityConfig"]["MetricName"],
    }
    return Metric("AWS/WAFV2", "BlockedRequests", where, "Sum")
