"""The log lines of emulated containers, written to CloudWatch Logs as the awslogs driver does."""

from __future__ import annotations

import contextlib
import shlex
from functools import partial

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs.model import Task
from provisioner.emulator.errors import AwsError
from provisioner.emulator.moto_bridge import ask_moto

# The awslogs driver sends every 5 s (moby, daemon/logger/awslogs, defaultForceFlushInterval). A part of the
# delay is real time at every speed, so that reading the log once, when the task has ended, misses lines.
LATE, LATE_AT_LEAST = 5.0, 0.05


def write_last_lines(task: Task, code: int) -> None:
    """Write the log lines of all containers of a service's task, when it ends with exit code `code`."""
    containers = task.definition["containerDefinitions"]
    dependencies = {each["containerName"] for container in containers for each in container.get("dependsOn", [])}
    for container in containers:
        exit_code = 0 if container["name"] in dependencies else code  # dependencies exited with 0
        lines = [f"starting {container['image']}", f"ending with exit code {exit_code}"]
        _write(task, container["name"], int(clock.now() * 1000), lines)


def write_first_line_of_standalone_task(task: Task) -> None:
    """Write, with the driver's delay, the first log line of a standalone task when it starts."""
    overrides = task.spec.get("overrides", {}).get("containerOverrides", [])
    for container in task.definition["containerDefinitions"]:
        command = next((each.get("command") for each in overrides if each["name"] == container["name"]), None)
        lines = [f"starting {container['image']}", *([f"running {shlex.join(command)}"] if command else [])]
        _write_later(task, container["name"], lines)


def write_last_line_of_standalone_task(task: Task, code: int) -> None:
    """Write, with the driver's delay, the last log line of a standalone task when it ends."""
    for container in task.definition["containerDefinitions"]:
        _write_later(task, container["name"], [f"ending with exit code {code}"])


def _write_later(task: Task, name: str, lines: list[str]) -> None:
    """Write lines with the timestamp of now, but only after the delay of the log driver."""
    timestamp = int(clock.now() * 1000)
    clock.later(LATE, partial(_write, task, name, timestamp, lines), at_least=LATE_AT_LEAST)


def _write(task: Task, name: str, timestamp: int, lines: list[str]) -> None:
    """Write lines to the log stream of a container (ECS developer guide, awslogs-stream-prefix).

    Do nothing if the container has no such stream, or its log group does not exist.
    """
    container = next(each for each in task.definition["containerDefinitions"] if each["name"] == name)
    log = container.get("logConfiguration", {})
    options = log.get("options", {})
    if log.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
        return
    stream = {
        "logGroupName": options["awslogs-group"],
        "logStreamName": f"{options['awslogs-stream-prefix']}/{name}/{task.id}",
    }
    with contextlib.suppress(AwsError):  # it exists already
        ask_moto(task.place, "logs", "CreateLogStream", **stream)
    events = [{"timestamp": timestamp, "message": line} for line in lines]
    with contextlib.suppress(AwsError):  # the log group does not exist
        ask_moto(task.place, "logs", "PutLogEvents", logEvents=events, **stream)
