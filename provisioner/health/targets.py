"""The topic of the targets behind the load balancer: those that are not healthy, with AWS's reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource
from provisioner.resources.ecs import foreign_targets

CALLS = {"elbv2": ("DescribeTargetHealth",), **foreign_targets.CALLS}
# States of a target that is being registered or deregistered (botocore elbv2, TargetHealthStateEnum):
# neither good nor bad.
_TRANSIENT_STATES = ("initial", "draining", "unhealthy.draining")


def targets(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each target group, for each target in it that is not healthy, and for a bare balancer.

    A load balancer is bare if none of the targets in a group behind it is healthy.
    """
    groups_without_target: dict[str, list[str]] = {}

    def line(one: ObservedResource, doc: JsonObject) -> Iterator[HealthLine]:
        elbv2 = context.clients.client("elbv2")
        listed = elbv2.describe_target_health(TargetGroupArn=doc["TargetGroupArn"])
        others = _foreign_targets(context, listed["TargetHealthDescriptions"])
        found = [each for each in listed["TargetHealthDescriptions"] if each not in others]
        resting = doc.get("TargetHealth") == "resting"
        group = _group_line(one, Counter(each["TargetHealth"]["State"] for each in found), is_resting=resting)
        if group.status == "unhealthy":
            for arn in doc.get("LoadBalancerArns", []):
                groups_without_target.setdefault(arn, []).append(one.logical_id)
        yield group
        yield from (_target_line(each) for each in found if each["TargetHealth"]["State"] != "healthy")
        yield from (_foreign_target_line(each) for each in others)

    yield from context.lines_of_type("TargetGroup", line)
    for resource in context.of_types("LoadBalancer"):
        if groups := groups_without_target.get((resource.actual or {}).get("LoadBalancerArn", "")):
            yield HealthLine(
                resource.logical_id, f"no healthy target in {', '.join(groups)}", "unhealthy", {"groups": groups}
            )


def _group_line(group: ObservedResource, states: Counter[str], *, is_resting: bool) -> HealthLine:
    """Return the line of a target group: how many of its targets are healthy.

    `is_resting`: ECS sends the traffic to the service's other target group, so this one may be empty.
    """
    healthy, total = states["healthy"], states.total()
    if is_resting and not total:
        return HealthLine(group.logical_id, "no target: ECS routes to the other target group", "info", {"states": {}})
    text = f"{healthy} of {total} healthy" if total else "no target"
    return HealthLine(group.logical_id, text, "healthy" if healthy else "unhealthy", {"states": dict(states)})


def _foreign_targets(context: HealthContext, descriptions: list[JsonObject]) -> list[JsonObject]:
    """Return the targets that are no task of the stack; none if the cluster was not read."""
    ecs = context.clients.client("ecs")
    clusters = (cluster for cluster in context.of_types("Cluster") if cluster.actual is not None)
    return next((foreign_targets.foreign_targets(ecs, cluster.aws_name, descriptions) for cluster in clusters), [])


def _foreign_target_line(description: JsonObject) -> HealthLine:
    """Return the line of a target that is no task of the stack."""
    state = description["TargetHealth"]["State"]
    text = f"{state}, but no task of this stack: somebody registered it; `apply` deregisters it"
    facts = {"state": state, "stranger": True}
    return HealthLine(foreign_targets.describe_target(description["Target"]), text, "unhealthy", facts)


def _target_line(description: JsonObject) -> HealthLine:
    """Return the line of a target that is not healthy, with AWS's reason."""
    target, health = description["Target"], description["TargetHealth"]
    name = f"{target['Id']}:{target['Port']}"
    reason = ": ".join(filter(None, (health.get("Reason"), health.get("Description"))))
    text = f"{health['State']}{f' ({reason})' if reason else ''}"
    line_status: LineStatus = "info" if health["State"] in _TRANSIENT_STATES else "unhealthy"
    return HealthLine(name, text, line_status, {"state": health["State"], "reason": health.get("Reason", "")})
