"""`logs --previous`: the lines of the task that ended last, and why it ended, also where ECS has forgotten it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.emulator.ecs import model
from provisioner.resources.ecs.ended_tasks import find_last_ended_stream
from tests.support.fake_resources import WholeLists
from tests.support.live_stack import ACCOUNT, SUFFIX, LiveStack

CLUSTER, GROUP = f"ml-api-cluster-{SUFFIX}", f"/aws/ecs/ml-api-{SUFFIX}"
PREVIOUS = ("logs", "--suffix", SUFFIX, "--previous")


@pytest.fixture
def failed(live_stack: LiveStack) -> str:
    """The id of the task that ended last: a deployment of an image whose container ends at once."""
    ran = live_stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", "bad:1", "--env", "HOW=EXIT=3")
    assert ran.code == 10, ran.err
    ecs, name = live_stack.aws("ecs"), live_stack.service["serviceName"]
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=name, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
    return str(max(tasks, key=lambda one: one["stoppedAt"])["taskArn"]).rpartition("/")[2]


def forget() -> None:
    """Let ECS forget the tasks that have ended, as it does after an hour."""
    for service in model.services.at(ACCOUNT, "us-east-1").values():
        service.tasks[:] = service.live


def test_it_shows_the_task_that_ended_last_and_why(live_stack: LiveStack, failed: str) -> None:
    live_stack.desk.run("run", "--local", "--yes", "--suffix", SUFFIX, "--", "later", local=False)

    ran = live_stack.desk.process(*PREVIOUS, "--local")

    assert ran.code == 0, ran.err
    assert [line.split(" ", 1)[1] for line in ran.out.splitlines()] == [
        f"api {failed[:8]} starting bad:1",
        f"api {failed[:8]} ending with exit code 3",
    ]
    assert f"Task {failed} of api ended at 20" in ran.err
    assert "container api ended with exit code 3." in ran.err


def test_with_a_limit_and_as_json(live_stack: LiveStack, failed: str) -> None:
    (line,) = live_stack.desk.well(*PREVIOUS, "--limit", "1", "--json").lines

    assert (line["task"], line["message"]) == (failed, "ending with exit code 3")


def test_what_ecs_has_forgotten_is_found_by_its_lines(live_stack: LiveStack, failed: str) -> None:
    forget()

    ran = live_stack.desk.well(*PREVIOUS)

    (task,) = {line.split()[2] for line in ran.out.splitlines()}
    assert ran.out.splitlines()[-1].endswith("ending with exit code 3")
    logs = live_stack.aws("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="api/api/")["logStreams"]
    newest = max(stream["lastEventTimestamp"] for stream in streams)
    assert task in {one["logStreamName"][8:16] for one in streams if one["lastEventTimestamp"] == newest}

    for stream in streams:
        logs.delete_log_stream(logGroupName=GROUP, logStreamName=stream["logStreamName"])
    ran = live_stack.desk.run(*PREVIOUS)
    assert (ran.code, "No task of ml-api-service-prod has ended yet." in ran.err) == (1, True)


@pytest.mark.parametrize("more", [("--follow",), ("--task", "1"), ("--from", "firewall"), ("--from", "database")])
def test_what_contradicts_it_is_refused(live_stack: LiveStack, more: tuple[str, ...]) -> None:
    assert live_stack.desk.run(*PREVIOUS, *more).code == 64


class Pages(WholeLists):
    """A log group with a stream a page, the newest first, and a cluster in which one task runs."""

    def __init__(self, *streams: str) -> None:
        self.streams = streams

    def client(self, _service: str) -> Pages:
        return self

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": ["arn:aws:ecs:us-east-1:1:task/c/runs"]}

    def describe_log_streams(self, **params: Any) -> dict[str, Any]:
        at = int(params.get("nextToken", 0))
        stream = {"logStreamName": self.streams[at], "firstEventTimestamp": 1000, "lastEventTimestamp": 2000}
        return {"logStreams": [stream], **({"nextToken": str(at + 1)} if self.streams[at + 1 :] else {})}


@pytest.mark.parametrize(
    ("streams", "found"),
    [
        (("api/api/runs", "other/api/x", "api/scratch/y", "api/api/ended", "api/api/earlier"), "ended"),
        (("api/api/runs",), None),
    ],
)
def test_a_stream_is_of_the_service_and_of_no_task_that_runs(streams: tuple[str, ...], found: str | None) -> None:
    pages: Any = Pages(*streams)

    task = find_last_ended_stream(pages, "c", GROUP, "api/api/")

    assert (task and (task.id, task.created_at, task.ended_at)) == (found and (found, 1.0, 2.0))
