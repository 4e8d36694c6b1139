"""Health checks of target groups: security groups must allow them, and the response code must match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provisioner.emulator.ecs import targets
from provisioner.emulator.ecs.model import Task
from provisioner.emulator.ecs.tasks import status_at
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend


def _is_reachable(task: Task, group: str, port: int) -> bool:
    """Return whether a load balancer in the target group's VPC can reach the task.

    Its security groups must allow the port outbound, the task's inbound (AWS doc, ALB: security groups).
    """
    elb = backend("elbv2", task.place.account, task.place.region)
    ec2 = backend("ec2", task.place.account, task.place.region)
    vpc = task.spec.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    task_groups = [each for each in map(ec2.get_security_group_from_id, vpc.get("securityGroups", [])) if each]
    target = elb.target_groups.get(group)
    load_balancers = [each for each in elb.load_balancers.values() if target and each.vpc_id == target.vpc_id]
    if not behaviours.on or not task_groups or not load_balancers:
        return True
    for balancer in load_balancers:
        balancer_groups = [each for each in map(ec2.get_security_group_from_id, balancer.security_groups or []) if each]
        may_leave = any(_allows(each.egress_rules, port, task_groups) for each in balancer_groups)
        if may_leave and any(_allows(each.ingress_rules, port, balancer_groups) for each in task_groups):
            return True
    return False


def _allows(rules: Iterable[Any], port: int, peers: list[Any]) -> bool:
    """Return whether a rule allows the port for one of the groups; any IP range in a rule is enough."""
    names = {peer.id for peer in peers}
    for rule in rules:
        every = str(rule.ip_protocol) == "-1"
        if not every and not int(rule.from_port) <= port <= int(rule.to_port):
            continue
        if rule.source_group.get("GroupId") in names or rule.ip_range:
            return True
    return False


def _time_out(task: Task, group: str, port: int) -> targets.HealthProblem:
    """Return a timeout if no load balancer reaches the task on the port."""
    return None if _is_reachable(task, group, port) else ("Target.Timeout", "Request timed out")


def _mismatch(task: Task, group: str, _: int) -> targets.HealthProblem:
    """Return a mismatch if the target group's matcher lacks the response code at its health check path.

    Source: AWS doc, health checks: reason codes.
    """
    target_groups: dict[str, Any] = backend("elbv2", task.place.account, task.place.region).target_groups
    if not behaviours.on or group not in target_groups:
        return None
    status = status_at(task, str(target_groups[group].health_check_path or "/").partition("?")[0])
    if _matches((target_groups[group].matcher or {}).get("HttpCode") or "200", status):
        return None
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"


def _matches(matcher: str, status: int) -> bool:
    """Return whether a status is in a matcher such as `200`, `200,302` or `200-299`."""
    spans = (part.partition("-") for part in matcher.split(","))
    return any(int(first) <= status <= int(last or first) for first, _, last in spans)


targets.checks += [_time_out, _mismatch]
