"""The topics of the edge, the firewall, the load balancer, and the table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.cloudwatch import Metric, read_metrics
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, line_status


def balancer(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line with the state of the load balancer, and its DNS name."""
    return context.lines_of_type("LoadBalancer", _balancer_line)


def _balancer_line(balancer: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of a load balancer, with AWS's reason for its state if there is one."""
    state = actual["State"]
    reason = f": {state['Reason']}" if state.get("Reason") else ""
    text = f"{state['Code']}{reason}; {actual['DNSName']}"
    return HealthLine(balancer.logical_id, text, line_status(balancer, state["Code"], "active"))


def edge(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line with the status of the CloudFront distribution, and its domain name."""
    return context.lines_of_type("Distribution", _distribution_line)


def _distribution_line(distribution: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of a distribution; a disabled one serves nothing, whatever its status."""
    status = actual["Status"] if actual["Enabled"] else "disabled"
    text = f"{status}; {actual['DomainName']}"
    return HealthLine(distribution.logical_id, text, line_status(distribution, status, "Deployed"))


def table(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line with the status of the DynamoDB table of sessions."""
    return context.lines_of_type("Table", _table_line)


def _table_line(table: ObservedResource, actual: JsonObject) -> HealthLine:
    """Return the line of a DynamoDB table."""
    status = actual["TableStatus"]
    return HealthLine(table.logical_id, f"{status}; {actual['TableName']}", line_status(table, status, "ACTIVE"))


# The metrics of a web ACL for CloudFront are in this region, whatever the stack's region is.
_METRIC_REGION = "us-east-1"
_METRIC_WINDOW, _METRIC_PERIOD = timedelta(hours=1), 300


def firewall(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each rule of the web ACL."""
    return context.lines_of_type("WebACL", partial(_rule_lines, context))


def _rule_lines(context: HealthContext, web_acl: ObservedResource, actual: JsonObject) -> Iterator[HealthLine]:
    """Yield for each rule of a web ACL how many requests it has blocked in the last hour."""
    rules = actual["Rules"]
    metrics = [_blocked_requests_metric(actual, rule) for rule in rules]
    values = read_metrics(context.clients, metrics, context.now, _METRIC_WINDOW, _METRIC_PERIOD, _METRIC_REGION)
    for rule, count in zip(rules, map(sum, values), strict=True):
        text = f"blocked {count:.0f} in the last hour"
        yield HealthLine(f"{web_acl.logical_id}.{rule['Name']}", text, "info", {"blocked": round(count)})


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
