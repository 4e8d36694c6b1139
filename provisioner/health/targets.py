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
_PASSING = ("initial", "draining", "unhealthy.draining")


def targets(context: HealthContext) -> Iterator[HealthLine]:
    """Yield a line for each target group, for each target in it that is not healthy, and for a bare balancer.

    A load balancer is bare if none of the targets in a group behind it is healthy.
    """
    bare: dict[str, list[str]] = {}

    def line(one: ObservedResource, doc: JsonObject) -> Iterator[HealthLine]:
        elbv2 = context.clients.client("elbv2")
        listed = elbv2.describe_target_health(TargetGroupArn=doc["TargetGroupArn"])
        others = _strangers(context, listed["TargetHealthDescriptions"])
        found = [each for each in listed["TargetHealthDescriptions"] if each not in others]
        resting = doc.get("TargetHealth") == "resting"
        group = _group(one, Counter(each["TargetHealth"]["State"] for each in found), resting=resting)
        if group.status == "unwell":
            for arn in doc.get("LoadBalancerArns", []):
                bare.setdefault(arn, []).append(one.logical_id)
        yield group
        yield from (_target(each) for each in found if each["TargetHealth"]["State"] != "healthy")
        yield from (_stranger(each) for each in others)

    yield from context.lines("TargetGroup", line)
    for one in context.of_types("LoadBalancer"):
        if groups := bare.get((one.actual or {}).get("LoadBalancerArn", "")):
            yield HealthLine(one.logical_id, f"no healthy target in {', '.join(groups)}", "unwell", {"groups": groups})


def _group(one: ObservedResource, states: Counter[str], *, resting: bool) -> HealthLine:
    """Return the line of a target group: how many of its targets are healthy.

    `resting`: ECS sends the traffic to the service's other target group, so this one may be empty.
    """
    healthy, total = states["healthy"], states.total()
    if resting and not total:
        return HealthLine(one.logical_id, "no target: ECS leads to its other group", "told", {"states": {}})
    says = f"{healthy} of {total} healthy" if total else "no target"
    return HealthLine(one.logical_id, says, "well" if healthy else "unwell", {"states": dict(states)})


def _strangers(context: HealthContext, listed: list[JsonObject]) -> list[JsonObject]:
    """Return the targets that are no task of the stack; none if the cluster was not read."""
    ecs = context.clients.client("ecs")
    clusters = (one for one in context.of_types("Cluster") if one.actual is not None)
    return next((foreign_targets.foreign_targets(ecs, one.aws_name, listed) for one in clusters), [])


def _stranger(each: JsonObject) -> HealthLine:
    """Return the line of a target that is no task of the stack."""
    says = f"{each['TargetHealth']['State']}, and no task of ours: somebody registered it (apply takes it out)"
    facts = {"state": each["TargetHealth"]["State"], "stranger": True}
    return HealthLine(foreign_targets.describe_target(each["Target"]), says, "unwell", facts)


def _target(each: JsonObject) -> HealthLine:
    """Return the line of a target that is not healthy, with AWS's reason."""
    target, health = each["Target"], each["TargetHealth"]
    name = f"{target['Id']}:{target['Port']}"
    why = ": ".join(filter(None, (health.get("Reason"), health.get("Description"))))
    says = f"{health['State']}{f' ({why})' if why else ''}"
    mark: LineStatus = "told" if health["State"] in _PASSING else "unwell"
    return HealthLine(name, says, mark, {"state": health["State"], "reason": health.get("Reason", "")})
