"""A page about a stack that nobody brought up: what is declared, with the states a test wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provisioner.engine.planning.drift import Drift, DriftField, DriftReport
from provisioner.engine.runs.run import run_of
from provisioner.engine.runs.timeline import timeline_of
from provisioner.health.context import HealthLine, TopicHealth
from provisioner.prices.estimate import Cost, CostEstimate
from provisioner.report.diagram import stack_diagram
from provisioner.report.resources import ReportResource, resources_from_graph
from provisioner.report.security_controls import check_controls
from provisioner.terminal.report.contents import ReportContents, ResourceHealthRow
from tests.engine.test_graph import built

ODD = '<b onclick="x">&\'"</b>'
PLACE = {"account": "123456789012", "partition": "aws", "region": "us-east-1", "endpoint": ""}


def things(*settings: str, **states: str) -> dict[str, ReportResource]:
    """The stack's resources, all as wanted but for those that are named with a state."""
    found = resources_from_graph(built("image=mine.example/api:1", *settings))
    return {name: _told(resource, states.get(name, "good")) for name, resource in found.items()}


def _told(resource: ReportResource, state: str) -> ReportResource:
    zones = {"writer": "us-east-1a", **{f"-{n}": f"us-east-1{'abcdef'[n - 1]}" for n in range(1, 7)}}
    zone = next((zone for end, zone in zones.items() if resource.logical_id.endswith(end)), "")
    props = {**resource.props, "AvailabilityZone": zone} if "AvailabilityZone" in resource.props else resource.props
    return replace(resource, status=state, aws_status="available" if state == "good" else state, props=props)  # type: ignore[arg-type]


def record(**more: Any) -> dict[str, Any]:
    """A run of ten seconds that made a network and a service."""
    moments = [[1.0, "starting"], [2.0, "exists"], [8.0, "ready"]]
    step: dict[str, Any] = {
        "kind": "Vpc",
        "region": "r",
        "piece": "vpc",
        "verb": "create",
        "end": "ready",
        "id": "vpc-1",
    }
    step |= {"waits": 0, "beside": [], "moments": moments}
    nodes = {"vpc": {**step, "needs": {}}, "service": {**step, "needs": {"vpc": "ready"}}}
    told: dict[str, Any] = {
        "suffix": "prod",
        "command": "apply",
        "arguments": ["apply", "--set", f"x={ODD}"],
        "who": "ada@here",
    }
    told |= {"caller": "arn:aws:iam::123456789012:user/ada", "place": PLACE, "start": 1e9, "seconds": 10.0}
    told |= {"result": "ok", "exit_code": 0, "message": "", "plan": {"add": 2}, "settings": {}}
    return {**told, "nodes": nodes, "calls": [], **more}


def sheet(known: dict[str, ReportResource], **more: Any) -> ReportContents:
    """A page that tells of drift, and of a run that failed; every text that can be odd is odd."""
    drift = Drift("altered", "sg-tasks", "security", "SecurityGroup", "n", "i", ODD, (DriftField("a.b", 1, ODD, 1),))
    bill = {"Aurora capacity": Cost(43.8, 175.2), "secrets": Cost(0.4, 0.4)}
    failed = record(result="incomplete", exit_code=4, message=ODD, seconds=4.0)
    made = ReportContents(
        suffix="prod",
        location="account 123456789012, region us-east-1",
        written_at="2026-11-23 07:00 UTC",
        diagram=stack_diagram(known, "prod in us-east-1", "us-east-1"),
        outputs={"cloudfront_distribution_url": "https://d1.cloudfront.net", "odd": ODD},
        health=tuple(map(_health, known.values())),
        controls=check_controls(known),
        cost=CostEstimate(bill, {}, "us-east-1", "2026-07", (), ("logs",)),
        topics=(
            TopicHealth("targets", (HealthLine("tg", "1 of 2 healthy", "unhealthy"), HealthLine("tg", ODD, "info"))),
            TopicHealth("edge", (HealthLine("edge", "Deployed", "healthy"),)),
        ),
        drift=DriftReport("prod", [drift]),
        changes="Plan: 0 to add, 1 to change, 0 to destroy.",
        runs=(run_of("2", failed), run_of("1", record())),
        last_timeline=timeline_of(record()),
        notes=(ODD,),
    )
    return replace(made, **more)


def _health(resource: ReportResource) -> ResourceHealthRow:
    return ResourceHealthRow(
        f"{resource.step}/{resource.logical_id}", resource.type_name, resource.status, resource.aws_status
    )


def long_run(seconds: float, count: int, result: str = "ok") -> dict[str, Any]:
    """A run of so many steps, each of which needs the one before; in one that did not end well, the last ones failed.

    Every third was retried, and calls of every third were refused.
    """
    nodes: dict[str, Any] = {}
    calls: list[list[Any]] = []
    for number in range(count):
        at, each = seconds * number / count, seconds / count
        name = f"service-with-a-rather-long-name-{number}.listener-rule" if number % 4 == 1 else f"subnet-{number}"
        moments: list[list[Any]] = [[at, "starting"]]
        calls.append([at, each / 3, "elasticloadbalancing:CreateRule", name, "" if number % 3 else "Throttling"])
        if number % 3 == 0:
            moments.append([at + each / 4, "retrying", each / 4, "Throttling"])
        end = "ready"
        if result != "ok" and number >= count - 2:
            end = "failed" if result == "incomplete" else ""
            moments += [[at + each, "failed", each, f"AccessDenied: {ODD}"]] if end else []
        else:
            moments += [[at + each / 2, "exists"], [at + each, "ready"]]
        needs = {list(nodes)[-1]: "ready"} if nodes else {}
        step = {"kind": "ListenerRule", "region": "r", "piece": "services", "verb": "create", "end": end, "id": "i"}
        nodes[name] = {**step, "waits": 0, "beside": [], "moments": moments, "needs": needs}
    message = "" if result == "ok" else f"2 of {count} steps failed. {ODD}"
    return record(nodes=nodes, calls=calls, seconds=seconds, result=result, message=message)
