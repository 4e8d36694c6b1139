"""Whether a task's containers would run: the box has no containers, so it reads the signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from provisioner.embedded.containers.model import Task
from provisioner.embedded.containers.targets import illness
from provisioner.embedded.inner import backend

EXIT = re.compile(r"\bEXIT=(\d+)\b")


@dataclass(frozen=True)
class Trouble:
    """Why a task does not start; texts as ECS gives them (AWS doc, ECS stopped task error codes)."""

    reason: str
    container: str = ""
    code: str = "TaskFailedToStart"


checks: list[Callable[[Task], Trouble | None]] = []  # more reasons for which a task may not start


def trouble_at_start(task: Task) -> Trouble | None:
    """Say what keeps the containers from starting, if anything does."""
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
            return Trouble(text, text)
    return None


def exit_code(task: Task) -> int | None:
    """Read the code a container is told to end with, by a word EXIT=n in its command or environment."""
    for container in _with_overrides(task):
        words = " ".join(container.get("command", []) + container.get("entryPoint", []))
        named = [f"{v['name']}={v.get('value', '')}" for v in container.get("environment", [])]
        if found := EXIT.search(" ".join([words, *named])):
            return int(found[1])
    return None


def _with_overrides(task: Task) -> Iterator[dict[str, Any]]:
    overrides = {o["name"]: o for o in task.spec.get("overrides", {}).get("containerOverrides", [])}
    for container in task.definition["containerDefinitions"]:
        other = overrides.get(container["name"], {})
        environment = container.get("environment", []) + other.get("environment", [])
        yield container | other | {"environment": environment}


def is_served(task: Task) -> bool:
    """Say whether the health checks of its target groups find somebody at their port."""
    ports = {
        mapping["containerPort"]
        for container in task.definition["containerDefinitions"]
        for mapping in container.get("portMappings", [])
    }
    groups = backend("elbv2", task.place.account, task.place.region).target_groups
    for balancer in task.spec.get("loadBalancers", []):
        group = groups.get(balancer.get("targetGroupArn"))
        asked = str(getattr(group, "health_check_port", None) or "traffic-port")
        if balancer["containerPort"] not in ports or (asked.isdigit() and int(asked) not in ports):
            return False
        if group is not None and illness(task, group.arn, balancer["containerPort"]):
            return False
    return True
