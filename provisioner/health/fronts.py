"""The topics of load balancer, CloudFront and session table: each a line with the status that AWS gives."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.scene import Line, Scene, Sight, stated


def balancer(scene: Scene) -> Iterator[Line]:
    """Return a line with the state of the load balancer, and its DNS name."""

    def line(one: Sight, doc: JsonObject) -> Line:
        state = doc["State"]
        reason = f": {state['Reason']}" if state.get("Reason") else ""
        return Line(one.node, f"{state['Code']}{reason}; {doc['DNSName']}", stated(one, state["Code"], "active"))

    return scene.tell("LoadBalancer", line)


def edge(scene: Scene) -> Iterator[Line]:
    """Return a line with the status of the CloudFront distribution, and its domain name."""

    def line(one: Sight, doc: JsonObject) -> Line:
        status = doc["Status"] if doc["Enabled"] else "disabled"
        return Line(one.node, f"{status}; {doc['DomainName']}", stated(one, status, "Deployed"))

    return scene.tell("Distribution", line)


def table(scene: Scene) -> Iterator[Line]:
    """Return a line with the status of the table of sessions."""

    def line(one: Sight, doc: JsonObject) -> Line:
        status = doc["TableStatus"]
        return Line(one.node, f"{status}; {doc['TableName']}", stated(one, status, "ACTIVE"))

    return scene.tell("Table", line)
