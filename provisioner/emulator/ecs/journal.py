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


def last_words(task: Task, code: int) -> None:
    """Write the log lines of all containers of a service's task, when it ends with exit code `code`."""
    listed = task.definition["containerDefinitions"]
    first = {each["containerName"] for one in listed for each in one.get("dependsOn", [])}
    for one in listed:
        ended = 0 if one["name"] in first else code  # dependencies exited with 0
        lines = [f"starting {one['image']}", f"ending with exit code {ended}"]
        _write(task, one["name"], int(clock.now() * 1000), lines)


def first_words_alone(task: Task) -> None:
    """Write, with the driver's delay, the first log line of a standalone task when it starts."""
    overrides = task.spec.get("overrides", {}).get("containerOverrides", [])
    for one in task.definition["containerDefinitions"]:
        said = next((each.get("command") for each in overrides if each["name"] == one["name"]), None)
        lines = [f"starting {one['image']}", *([f"running {shlex.join(said)}"] if said else [])]
        _late(task, one["name"], lines)


def last_words_alone(task: Task, code: int) -> None:
    """Write, with the driver's delay, the last log line of a standalone task when it ends."""
    for one in task.definition["containerDefinitions"]:
        _late(task, one["name"], [f"ending with exit code {code}"])


def _late(task: Task, name: str, lines: list[str]) -> None:
    """Write lines with the timestamp of now, but only after the delay of the log driver."""
    said = int(clock.now() * 1000)
    clock.later(LATE, partial(_write, task, name, said, lines), at_least=LATE_AT_LEAST)


def _write(task: Task, name: str, at: int, lines: list[str]) -> None:
    """Write lines to the log stream of a container (ECS developer guide, awslogs-stream-prefix).

    Do nothing if the container has no such stream, or its log group does not exist.
    """
    container = next(one for one in task.definition["containerDefinitions"] if one["name"] == name)
    log = container.get("logConfiguration", {})
    options = log.get("options", {})
    if log.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
        return
    there = {
        "logGroupName": options["awslogs-group"],
        "logStreamName": f"{options['awslogs-stream-prefix']}/{name}/{task.id}",
    }
    with contextlib.suppress(AwsError):  # it exists already
        ask_moto(task.place, "logs", "CreateLogStream", **there)
    events = [{"timestamp": at, "message": line} for line in lines]
    with contextlib.suppress(AwsError):  # the log group does not exist
        ask_moto(task.place, "logs", "PutLogEvents", logEvents=events, **there)
