"""What containers say: a line when they end, in the log that their definition names."""

from __future__ import annotations

import contextlib

from provisioner.embedded.answers import AwsError
from provisioner.embedded.clock import clock
from provisioner.embedded.containers.model import Task
from provisioner.embedded.inner import do


def last_words(task: Task, code: int) -> None:
    """Write to each container's stream: ECS developer guide, awslogs-stream-prefix."""
    for container in task.definition["containerDefinitions"]:
        log = container.get("logConfiguration", {})
        options = log.get("options", {})
        if log.get("logDriver") != "awslogs" or "awslogs-stream-prefix" not in options:
            continue
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task.id}"
        there = {"logGroupName": options["awslogs-group"], "logStreamName": stream}
        lines = [f"starting {container['image']}", f"ending with exit code {code}"]
        events = [{"timestamp": int(clock.now() * 1000), "message": line} for line in lines]
        with contextlib.suppress(AwsError):  # a group that is not there: nothing is written
            do(task.place, "logs", "CreateLogStream", **there)
            do(task.place, "logs", "PutLogEvents", logEvents=events, **there)
