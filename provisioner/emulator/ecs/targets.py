"""Tasks as targets of target groups: registered when they run, and their health for DescribeTargetHealth."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from provisioner.emulator.ecs.model import Task, all_tasks
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import Call

# The problem that a health check finds: a reason code of elbv2 and its description; None if healthy. Each
# check gets a task, the ARN of a target group and a port.
HealthProblem = tuple[str, str] | None
checks: list[Callable[[Task, str, int], HealthProblem]] = []
DEREGISTRATION_DELAY = 300.0  # seconds; AWS doc, target group attributes


def _registrations(task: Task) -> list[tuple[str, dict[str, Any]]]:
    """Return the target groups of a task's service, each with the target to register."""
    balancers = task.spec.get("loadBalancers", [])
    return [
        (balancer["targetGroupArn"], {"Id": task.address, "Port": balancer["containerPort"]})
        for balancer in balancers
        if "targetGroupArn" in balancer
    ]


def register(task: Task) -> None:
    """Register a task in the target groups of its service; skip a target group that no longer exists."""
    for group, target in _registrations(task):
        with contextlib.suppress(AwsError):
            ask_moto(task.place, "elbv2", "RegisterTargets", TargetGroupArn=group, Targets=[target])


def deregister(task: Task) -> None:
    """Deregister a task from its target groups."""
    for group, target in _registrations(task):
        with contextlib.suppress(AwsError):
            ask_moto(task.place, "elbv2", "DeregisterTargets", TargetGroupArn=group, Targets=[target])


def drain_seconds(task: Task) -> float:
    """Return the longest deregistration delay of a task's target groups, in seconds."""
    groups = backend("elbv2", task.place.account, task.place.region).target_groups
    delays = [
        float(groups[group].attributes.get("deregistration_delay.timeout_seconds", DEREGISTRATION_DELAY))
        for group, _ in _registrations(task)
        if group in groups
    ]
    return max(delays, default=0.0)


@always.after("elbv2", "DescribeTargetHealth")
def set_health(call: Call, reply: Reply) -> None:
    """Set the health of targets that are tasks, by the health checks here."""
    tasks = {task.address: task for task in all_tasks(call.place) if task.status != "STOPPED"}
    for target in reply["TargetHealthDescriptions"]:
        task = tasks.get(target["Target"]["Id"])
        if task is not None and target["TargetHealth"]["State"] != "unused":
            port = target["Target"]["Port"]
            target["TargetHealth"] = _target_health(task, health_problem(task, call.params["TargetGroupArn"], port))


def health_problem(task: Task, group: str, port: int) -> HealthProblem:
    """Return the problem that a target group's health check finds with a task on a port, or None."""
    return next((problem for check in checks if (problem := check(task, group, port))), None)


def _target_health(task: Task, ill: HealthProblem) -> dict[str, str]:
    """Return the TargetHealth of a task."""
    if task.desired_status == "STOPPED":
        reason = "Target.DeregistrationInProgress"
        description = "Target deregistration is in progress"
        return {"State": "draining", "Reason": reason, "Description": description}
    if task.healthy and ill:
        return {"State": "unhealthy", "Reason": ill[0], "Description": ill[1]}
    if task.healthy:
        return {"State": "healthy"}
    reason, description = "Elb.RegistrationInProgress", "Target registration is in progress"
    return {"State": "initial", "Reason": reason, "Description": description}
