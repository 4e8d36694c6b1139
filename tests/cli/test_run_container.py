"""`run` says in which container of which service its command runs, and a teardown takes what it has left."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.commands.pending_command import OneTimeCommand
from provisioner.resources.ecs import standalone_tasks
from provisioner.resources.ecs.revisions import RunningRevision
from tests.cli.test_run_overrides import OTHER, killed, line, revisions
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import User

ARN = "arn:aws:ecs:us-east-1:1:task-definition/ml-api-taskdef-a:4"


class Heard:
    """Keeps the question that a person would be asked."""

    question = ""

    def confirm(self, _say: object, question: str) -> None:
        self.question = question


def once(service: str) -> OneTimeCommand:
    """`run -- python -c secret` as a task of a service whose balancer leads to one of two containers."""
    containers = [{"name": "scratch", "image": "busybox"}, {"name": "api", "image": "acme/model:1"}]
    revision = {"taskDefinitionArn": ARN, "family": "f", "containerDefinitions": containers}
    running = RunningRevision({"loadBalancers": [{"containerName": "api"}]}, revision)
    session = SimpleNamespace(suffix="a", clients=None, state=SimpleNamespace(salt="s" * 32, pending_commands={}))
    one: Any = SimpleNamespace(title=service, session=session, cluster="c", logical_id="service")
    say: Any = None
    return OneTimeCommand(say, one, running, standalone_tasks.Command(("python", "-c", "secret")))


@pytest.mark.parametrize("service", ["api", "search"])
def test_what_is_told_of_a_command_names_container_and_service_and_no_argument(service: str) -> None:
    assert once(service).title == f"python in the container api of the service {service}"


def test_the_question_names_the_container_that_the_command_runs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.commands.pending_command.find_running", lambda *_: None)
    asking: Any = Heard()

    assert once("search").find_task(again=True, confirmation=asking) is None

    assert asking.question == ("Run python -c secret in the container api with acme/model:1 (revision 4) in a?")


def test_a_task_of_others_is_not_asked_when_it_was_created() -> None:
    """ECS describes a task without createdAt while it has not placed it, and others' tasks need not run our command."""
    ours = {"taskArn": "t/ours", "createdAt": datetime.now(UTC)}
    ours["overrides"] = {"containerOverrides": [{"name": "api", "command": ["python"]}]}
    ecs = SimpleNamespace(
        list_tasks=lambda **_: {"taskArns": ["t/foreign", "t/ours"]},
        describe_tasks=lambda **_: {"tasks": [{"taskArn": "t/foreign"}, ours]},
    )
    clients: Any = SimpleNamespace(client=lambda _: ecs)
    command = standalone_tasks.Command(("python",))

    found = standalone_tasks.find_started(clients, "c", "api", command, time.time(), "")

    assert found
    assert found.arn == "t/ours"


@pytest.mark.slow
def test_on_aws_it_is_said_how_a_detached_task_is_stopped(user: User) -> None:
    aws = {"AWS_ENDPOINT_URL": user.box.endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    made = user.process("apply", "--yes", "--suffix", SUFFIX, "--region", "us-east-1", **aws)
    assert made.code == 0, made.err

    ran = user.process("run", "--yes", "--suffix", SUFFIX, "--detach", "--", "train", **aws)

    stop = f"aws ecs stop-task --cluster ml-api-cluster-{SUFFIX} --task {ran.out.strip()} --region us-east-1"
    assert f"`{stop}` stops it." in ran.err, ran.err


@pytest.mark.slow
def test_a_teardown_takes_the_revision_that_a_killed_run_has_left(user: User) -> None:
    stack = LiveStack.of(user)
    killed(stack, "ecs:RunTask", "kill_before", *line("never", flags=("--image", OTHER)))
    assert len(revisions(stack)) == 1
    assert user.plan(SUFFIX) == "No changes.\n"

    user.teardown(SUFFIX)

    assert revisions(stack) == []
