"""The life cycle of a task: network interface, start, health, and an orderly stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs import targets
from provisioner.emulator.ecs.journal import (
    write_first_line_of_standalone_task,
    write_last_line_of_standalone_task,
    write_last_lines,
)
from provisioner.emulator.ecs.model import Task, when_attached, when_running
from provisioner.emulator.ecs.start_failures import exit_code, is_served, start_failure
from provisioner.emulator.errors import AwsError
from provisioner.emulator.moto_bridge import ask_moto, backend

# Seconds. With these, a rollout of Fargate tasks behind a load balancer takes about a minute:
# go-to-k/cdkd docs/benchmarks.md (65 s from accepted to steady).
START, HEALTH, EXIT, STOP, ONE_OFF = 20.0, 40.0, 5.0, 10.0, 30.0
LINGER = 45.0  # seconds until the interface of a stopped task is deleted: terraform-provider-aws ecs/service.go

Changed = Callable[[Task], None]


def launch(task: Task, changed: Changed) -> None:
    """Launch a task; `changed` is called with it when it runs, is healthy, or has stopped."""
    vpc = task.spec.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnets = vpc.get("subnets", [])
    if subnets:
        task.subnet = subnets[int(task.id, 16) % len(subnets)]
        _create_interface(task, vpc.get("securityGroups", []))
    clock.later(START, partial(_start, task, changed))


def _create_interface(task: Task, groups: list[str]) -> None:
    """Create the task's network interface (AWS doc, Fargate task networking)."""
    request = {"SubnetId": task.subnet, "Description": f"{task.arn.replace(':task/', ':attachment/')}"}
    if groups:
        request["Groups"] = groups  # type: ignore[assignment]
    with contextlib.suppress(AwsError):  # without a subnet, the start of the task fails
        interface = ask_moto(task.place, "ec2", "CreateNetworkInterface", **request)["NetworkInterface"]
        task.interface, task.address = interface["NetworkInterfaceId"], interface["PrivateIpAddress"]
        for tell in when_attached:
            tell(task)


def _start(task: Task, changed: Changed) -> None:
    """Start the containers, or stop the task if they cannot start; schedule the exit or the health check."""
    if task.desired_status == "STOPPED":
        return
    trouble = start_failure(task)
    if trouble is not None:
        task.container_reason = trouble.container
        mark_stopped(task, trouble.code, trouble.reason)
        changed(task)
        return
    task.status, task.started = "RUNNING", clock.now()
    targets.register(task)
    for tell in when_running:
        tell(task)
    code = exit_code(task)
    if not task.group.startswith("service:"):
        write_first_line_of_standalone_task(task)
    if code is None and not task.group.startswith("service:"):
        clock.later(ONE_OFF, partial(_exit_with, task, 0, changed))
    elif code is not None:
        clock.later(EXIT, partial(_exit_with, task, code, changed))
    else:
        clock.later(HEALTH, partial(_check_health, task, changed))
    changed(task)


def _exit_with(task: Task, code: int, changed: Changed) -> None:
    """End a task because its container exits with `code`."""
    if task.desired_status == "STOPPED":
        return
    task.exit_code = code
    (write_last_lines if task.group.startswith("service:") else write_last_line_of_standalone_task)(task, code)
    mark_stopped(task, "EssentialContainerExited", "Essential container in task exited")
    changed(task)


def _check_health(task: Task, changed: Changed) -> None:
    """Mark a task healthy, or stop it because it fails the health checks of its load balancer."""
    if task.desired_status == "STOPPED":
        return
    if is_served(task):
        task.healthy = True
    else:
        groups = [b["targetGroupArn"] for b in task.spec.get("loadBalancers", []) if "targetGroupArn" in b]
        mark_stopped(task, "ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {groups[0]})")
    changed(task)


def stop(task: Task, code: str, reason: str, changed: Changed) -> None:
    """Stop a task in order: it first leaves its target groups, which takes their deregistration delay."""
    if task.desired_status == "STOPPED":
        return
    task.desired_status, task.stop_code, task.stop_reason, task.stopping = "STOPPED", code, reason, clock.now()
    if task.status != "RUNNING":
        mark_stopped(task, code, reason)
        changed(task)
        return
    task.status, task.healthy = "DEACTIVATING", False
    clock.later(targets.drain_seconds(task) + STOP, partial(_complete_stop, task, changed))


def _complete_stop(task: Task, changed: Changed) -> None:
    """Finish an orderly stop, with exit code 0."""
    task.exit_code = 0
    mark_stopped(task, task.stop_code, task.stop_reason)
    changed(task)


def mark_stopped(task: Task, code: str, reason: str) -> None:
    """Mark a task as stopped, deregister its targets, and delete its network interface a little later."""
    task.desired_status = task.status = "STOPPED"
    task.healthy = False
    task.stop_code, task.stop_reason, task.stopped = code, reason, clock.now()
    task.stopping = task.stopping or task.stopped
    targets.deregister(task)
    interfaces = backend("ec2", task.place.account, task.place.region).enis
    clock.later(LINGER, partial(interfaces.pop, task.interface, None))
