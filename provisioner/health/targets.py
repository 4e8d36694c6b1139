"""The topic of the targets behind the load balancer: those that are not healthy, with AWS's reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.health.context import HealthContext, HealthLine, LineStatus, ObservedResource
from provisioner.resources.ecs import foreign_targets
from provisioner.service_clients import ECS, ELBV2

CALLS = {"elbv2": ("DescribeTargetHealth",), **foreign_targets.CALLS}
# States of a target that is being registered or deregistered (botocore elbv2, TargetHealthStateEnum):
# neither good nor bad.
_TRANSIENT_STATES = ("initial", "draining", "unhealthy.draining")


def targets(context: HealthContext) -> Iterator[HealthLine]:
    """Yield the lines of each target group, then one for each load balancer in front of an unhealthy group."""
    unhealthy_groups: dict[str, list[str]] = {}
    yield from context.lines_of_type("TargetGroup", partial(_target_group_lines, context, unhealthy_groups))
    for balancer in context.of_types("LoadBalancer"):
        if groups := unhealthy_groups.get((balancer.actual or {}).get("LoadBalancerArn", "")):
            text = f"no healthy target in {', '.join(groups)}"
            yield HealthLine(balancer.logical_id, text, "unhealthy", {"groups": groups})


def _target_group_lines(
    context: HealthContext, unhealthy_groups: dict[str, list[str]], group: ObservedResource, actual: JsonObject
) -> Iterator[HealthLine]:
    """Yield the line of a target group, then one for each unhealthy and each foreign target in it.

    An unhealthy group is added to `unhealthy_groups`, which lists logical ids by the ARN of the load balancer.
    """
    elbv2 = context.clients.client(ELBV2)
    answer = elbv2.describe_target_health(TargetGroupArn=actual["TargetGroupArn"])
    foreign = _foreign_targets(context, answer["TargetHealthDescriptions"])
    own = [target for target in answer["TargetHealthDescriptions"] if target not in foreign]
    states = Counter[str](target["TargetHealth"]["State"] for target in own)
    group_line = _group_line(group, states, is_resting=actual.get("TargetHealth") == "resting")
    if group_line.status == "unhealthy":
        for arn in set(actual.get("LoadBalancerArns", [])):
            unhealthy_groups.setdefault(arn, []).append(group.logical_id)
    yield group_line
    yield from (_target_line(target) for target in own if target["TargetHealth"]["State"] != "healthy")
    yield from (_foreign_target_line(target) for target in foreign)


def _group_line(group: ObservedResource, states: Counter[str], *, is_resting: bool) -> HealthLine:
    """Return the line of a target group: how many of its targets are healthy.

    `is_resting`: ECS sends the traffic to the service's other target group, so this one may be empty.
    """
    healthy, total = states["healthy"], states.total()
    if is_resting and not total:
        return HealthLine(group.logical_id, "no target: ECS routes to the other target group", "info", {"states": {}})
    text = f"{healthy} of {total} healthy" if total else "no target"
    return HealthLine(group.logical_id, text, "healthy" if healthy else "unhealthy", {"states": dict(states)})


def _foreign_targets(context: HealthContext, descriptions: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the targets that are no task of the stack; none if the cluster was not read."""
    ecs = context.clients.client(ECS)
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
