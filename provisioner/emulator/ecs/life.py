"""The life cycle of a task: network interface, start, health, and an orderly stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs import targets
from provisioner.emulator.ecs.journal import first_words_alone, last_words, last_words_alone
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
        _attach(task, vpc.get("securityGroups", []))
    clock.later(START, partial(_start, task, changed))


def _attach(task: Task, groups: list[str]) -> None:
    """Create the task's network interface (AWS doc, Fargate task networking)."""
    wanted = {"SubnetId": task.subnet, "Description": f"{task.arn.replace(':task/', ':attachment/')}"}
    if groups:
        wanted["Groups"] = groups  # type: ignore[assignment]
    with contextlib.suppress(AwsError):  # without a subnet, the start of the task fails
        made = ask_moto(task.place, "ec2", "CreateNetworkInterface", **wanted)["NetworkInterface"]
        task.interface, task.address = made["NetworkInterfaceId"], made["PrivateIpAddress"]
        for tell in when_attached:
            tell(task)


def _start(task: Task, changed: Changed) -> None:
    """Start the containers, or stop the task if they cannot start; schedule the exit or the health check."""
    if task.wanted == "STOPPED":
        return
    trouble = start_failure(task)
    if trouble is not None:
        task.container_reason = trouble.container
        end(task, trouble.code, trouble.reason)
        changed(task)
        return
    task.status, task.started = "RUNNING", clock.now()
    targets.register(task)
    for tell in when_running:
        tell(task)
    code = exit_code(task)
    if not task.group.startswith("service:"):
        first_words_alone(task)
    if code is None and not task.group.startswith("service:"):
        clock.later(ONE_OFF, partial(_exit, task, 0, changed))
    elif code is not None:
        clock.later(EXIT, partial(_exit, task, code, changed))
    else:
        clock.later(HEALTH, partial(_check, task, changed))
    changed(task)


def _exit(task: Task, code: int, changed: Changed) -> None:
    """End a task because its container exits with `code`."""
    if task.wanted == "STOPPED":
        return
    task.exit_code = code
    (last_words if task.group.startswith("service:") else last_words_alone)(task, code)
    end(task, "EssentialContainerExited", "Essential container in task exited")
    changed(task)


def _check(task: Task, changed: Changed) -> None:
    """Mark a task healthy, or stop it because it fails the health checks of its load balancer."""
    if task.wanted == "STOPPED":
        return
    if is_served(task):
        task.healthy = True
    else:
        groups = [b["targetGroupArn"] for b in task.spec.get("loadBalancers", []) if "targetGroupArn" in b]
        end(task, "ServiceSchedulerInitiated", f"Task failed ELB health checks in (target-group {groups[0]})")
    changed(task)


def stop(task: Task, code: str, reason: str, changed: Changed) -> None:
    """Stop a task in order: it first leaves its target groups, which takes their deregistration delay."""
    if task.wanted == "STOPPED":
        return
    task.wanted, task.stop_code, task.stop_reason, task.stopping = "STOPPED", code, reason, clock.now()
    if task.status != "RUNNING":
        end(task, code, reason)
        changed(task)
        return
    task.status, task.healthy = "DEACTIVATING", False
    clock.later(targets.drain_seconds(task) + STOP, partial(_ended, task, changed))


def _ended(task: Task, changed: Changed) -> None:
    """Finish an orderly stop, with exit code 0."""
    task.exit_code = 0
    end(task, task.stop_code, task.stop_reason)
    changed(task)


def end(task: Task, code: str, reason: str) -> None:
    """Mark a task as stopped, deregister its targets, and delete its network interface a little later."""
    task.wanted = task.status = "STOPPED"
    task.healthy = False
    task.stop_code, task.stop_reason, task.stopped = code, reason, clock.now()
    task.stopping = task.stopping or task.stopped
    targets.deregister(task)
    interfaces = backend("ec2", task.place.account, task.place.region).enis
    clock.later(LINGER, partial(interfaces.pop, task.interface, None))
