"""What stands before the tasks: CloudFront, the load balancer, the table beside them, and the firewall's counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.cloudwatch import Metric, read_metrics
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, line_status


def balancer(context: HealthContext) -> Iterator[HealthLine]:
    """Return a line with the state of the load balancer, and its DNS name."""

    def line(one: ObservedResource, doc: JsonObject) -> HealthLine:
        state = doc["State"]
        reason = f": {state['Reason']}" if state.get("Reason") else ""
        return HealthLine(
            one.logical_id, f"{state['Code']}{reason}; {doc['DNSName']}", line_status(one, state["Code"], "active")
        )

    return context.lines_of_type("LoadBalancer", line)


def edge(context: HealthContext) -> Iterator[HealthLine]:
    """Return a line with the status of the CloudFront distribution, and its domain name."""

    def line(one: ObservedResource, doc: JsonObject) -> HealthLine:
        status = doc["Status"] if doc["Enabled"] else "disabled"
        return HealthLine(one.logical_id, f"{status}; {doc['DomainName']}", line_status(one, status, "Deployed"))

    return context.lines_of_type("Distribution", line)


def table(context: HealthContext) -> Iterator[HealthLine]:
    """Return a line with the status of the table of sessions."""

    def line(one: ObservedResource, doc: JsonObject) -> HealthLine:
        status = doc["TableStatus"]
        return HealthLine(one.logical_id, f"{status}; {doc['TableName']}", line_status(one, status, "ACTIVE"))

    return context.lines_of_type("Table", line)


# The metrics of a web ACL for CloudFront are in this region, whatever the stack's region is.
_METRIC_REGION = "us-east-1"
_METRIC_WINDOW, _METRIC_PERIOD = timedelta(hours=1), 300


def firewall(context: HealthContext) -> Iterator[HealthLine]:
    """Return a line for each rule of the web ACL."""

    def line(one: ObservedResource, doc: JsonObject) -> Iterator[HealthLine]:
        rules = doc["Rules"]
        metrics = [_blocked_requests_metric(doc, rule) for rule in rules]
        told = read_metrics(context.clients, metrics, context.now, _METRIC_WINDOW, _METRIC_PERIOD, _METRIC_REGION)
        for rule, count in zip(rules, map(sum, told), strict=True):
            says = f"blocked {count:.0f} in the last hour"
            yield HealthLine(f"{one.logical_id}.{rule['Name']}", says, "told", {"blocked": round(count)})

    return context.lines_of_type("WebACL", line)


def _blocked_requests_metric(web_acl: JsonObject, rule: JsonObject) -> Metric:
    """Return the metric of the requests that a rule blocked.

    Its dimensions are the metric names of web ACL and rule, not their names (WAF developer guide, metrics and
    dimensions).
    """
    dimensions = {
        "WebACL": web_acl["VisibilityConfig"]["MetricName"],
        "Rule": rule["VisibilityConfig"]["MetricName"],
    }
    return Metric("AWS/WAFV2", "BlockedRequests", dimensions, "Sum")
