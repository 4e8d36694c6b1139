"""The failures of a task: why it cannot start, with which code it exits, whether it passes health checks.

The emulator runs no containers; it reads all this from the task's definition and resources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.emulator.ecs.model import Task
from provisioner.emulator.ecs.targets import health_problem
from provisioner.emulator.moto_bridge import backend

EXIT = re.compile(r"\bEXIT=(\d+)\b")


@dataclass(frozen=True)
class StartFailure:
    """Why a task cannot start: stopped reason, container's reason and stop code, worded as ECS words them.

    Source: AWS doc, ECS stopped task error codes.
    """

    reason: str
    container: str = ""
    code: str = "TaskFailedToStart"


checks: list[Callable[[Task], StartFailure | None]] = []  # further checks, registered by other modules


def start_failure(task: Task) -> StartFailure | None:
    """Return the failure that keeps a task from starting, or None.

    An image with "does-not-exist" in its name cannot be pulled.
    """
    for check in checks:
        if trouble := check(task):
            return trouble
    for container in task.definition["containerDefinitions"]:
        image = container["image"]
        if "does-not-exist" in image:
            text = (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve"
                f" ref {image}: {image}: not found"
            )
            return StartFailure(text, text)
    return None


def exit_code(task: Task) -> int | None:
    """Return n if a container's command or environment has the word EXIT=n; else None."""
    for container in _with_overrides(task):
        words = " ".join(container.get("command", []) + container.get("entryPoint", []))
        variables = [f"{v['name']}={v.get('value', '')}" for v in container.get("environment", [])]
        if match := EXIT.search(" ".join([words, *variables])):
            return int(match[1])
    return None


def _with_overrides(task: Task) -> Iterator[dict[str, Any]]:
    """Yield the container definitions of a task with its overrides applied."""
    overrides = {o["name"]: o for o in task.spec.get("overrides", {}).get("containerOverrides", [])}
    for container in task.definition["containerDefinitions"]:
        other = overrides.get(container["name"], {})
        environment = container.get("environment", []) + other.get("environment", [])
        yield container | other | {"environment": environment}


def is_served(task: Task) -> bool:
    """Return whether the task passes the health checks of its target groups, on ports that it maps."""
    ports = {
        mapping["containerPort"]
        for container in task.definition["containerDefinitions"]
        for mapping in container.get("portMappings", [])
    }
    groups = backend("elbv2", task.place.account, task.place.region).target_groups
    for balancer in task.spec.get("loadBalancers", []):
        group = groups.get(balancer.get("targetGroupArn"))
        check_port = str(getattr(group, "health_check_port", None) or "traffic-port")
        if balancer["containerPort"] not in ports or (check_port.isdigit() and int(check_port) not in ports):
            return False
        if group is not None and health_problem(task, group.arn, balancer["containerPort"]):
            return False
    return True
