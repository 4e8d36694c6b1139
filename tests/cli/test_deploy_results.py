"""How a deployment ended, told as it is: gone back, nothing to go back to, overtaken, one of many."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.commands import smoke_test
from provisioner.commands.rollout import describe_remaining
from provisioner.emulator.ecs import life, model
from provisioner.resources.ecs import rollout_watch
from provisioner.resources.ecs.deployment_diagnosis import diagnose
from provisioner.resources.ecs.revisions import registration_arguments
from provisioner.resources.ecs.rollout_watch import RolloutStage, RolloutWatch
from provisioner.resources.ecs.service_deployments import list_deployments, newest_deployment_status, rollout_state
from provisioner.service_clients import ECS
from provisioner.settings.images import is_reference
from tests.support.fake_resources import as_client
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult


class Paged:
    """An ECS whose lists come in pages, and in no order that it promises."""

    def __init__(self, *pages: list[int]) -> None:
        self.pages = pages
        self.asked: list[dict[str, Any]] = []

    def list_service_deployments(self, **asked: Any) -> dict[str, Any]:
        """One page."""
        self.asked.append(asked)
        at = int(asked.get("nextToken", 0))
        told = [
            {
                "createdAt": datetime.fromtimestamp(n, UTC),
                "status": f"S{n}",
                "serviceDeploymentArn": str(n),
            }
            for n in self.pages[at]
        ]
        more = {"nextToken": str(at + 1)} if at + 1 < len(self.pages) else {}
        return {"serviceDeployments": told, **more}


def test_a_container_that_the_definition_does_not_tell_of_hides_nothing() -> None:
    """GuardDuty's agent, beside the containers that were asked for."""
    names = ("aws-guardduty-agent-x", "api")
    task = {
        "taskArn": "t/1",
        "taskDefinitionArn": "web:1",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": name, "exitCode": 3} for name in names],
    }
    definition = {"containerDefinitions": [{"name": "api"}]}
    ecs = SimpleNamespace(
        list_service_deployments=lambda **_: {"serviceDeployments": []},
        list_tasks=lambda **_: {"taskArns": ["t/1"]},
        describe_tasks=lambda **_: {"tasks": [task]},
        describe_task_definition=lambda **_: {"taskDefinition": definition},
    )

    found = diagnose(as_client(ECS, ecs), "c", "s")

    assert [one.name for one in found.containers] == list(names)
    assert "container api ended with exit code 3" in found.description


def test_the_newest_of_the_deployments_comes_first() -> None:
    ecs = Paged([3, 2, 1, 9])

    listed = list_deployments(as_client(ECS, ecs), "c", "s")

    assert [one["serviceDeploymentArn"] for one in listed or []] == ["9", "3", "2", "1"]
    assert newest_deployment_status(as_client(ECS, ecs), "c", "s") == ("S9", "")
    assert newest_deployment_status(as_client(ECS, ecs), "c", "s", since=10) == ("", "")


def test_what_is_left_after_a_failure_is_told_as_it_is() -> None:
    def told(*, same: bool, back: bool) -> str:
        return describe_remaining("api", "m:1", "arn:x:task-definition/f:4", same=same, back=back)

    assert told(same=False, back=True) == "api runs m:1 (f:4) as before."
    assert told(same=True, back=True) == "api runs m:1 (f:4) as before."
    assert "is still to run m:1 (f:4)" in told(same=True, back=False)
    assert "is to run m:1 (f:4) now" in told(same=False, back=False)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ([("PRIMARY", "a:2", "IN_PROGRESS"), ("ACTIVE", "a:2", "FAILED")], "IN_PROGRESS"),
        ([("PRIMARY", "a:2", "COMPLETED"), ("ACTIVE", "a:2", "FAILED")], "COMPLETED"),
        ([("PRIMARY", "a:2", "FAILED"), ("ACTIVE", "a:1", "COMPLETED")], "FAILED"),
        ([("PRIMARY", "a:1", "IN_PROGRESS"), ("ACTIVE", "a:2", "FAILED")], "FAILED"),
        ([("PRIMARY", "a:1", "COMPLETED")], "ROLLED_BACK"),
    ],
)
def test_one_that_was_begun_anew_is_no_failed_one(there: list[tuple[str, str, str]], words: str) -> None:
    listed = [
        {"status": status, "taskDefinition": f"arn:{name}", "rolloutState": state} for status, name, state in there
    ]

    assert rollout_state({"deployments": listed, "runningCount": 2, "desiredCount": 2}, "arn:a:2") == words


def deploy(live_stack: LiveStack, image: str, *more: str) -> CommandResult:
    """One deploy."""
    return live_stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", image, *more)


@pytest.fixture(autouse=True)
def _no_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 200))


def in_the_box() -> model.Service:
    """The service, as the local AWS has it."""
    place = SimpleNamespace(account="123456789012", region="us-east-1")
    (one,) = model.services.of(place).values()  # type: ignore[arg-type]
    return one


def test_what_could_go_back_nowhere_begins_anew_once_it_is_mended(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_box().last_good = None

    ran = deploy(live_stack, "late:does-not-exist")

    assert ran.code == 10, ran.err
    assert "ROLLBACK_FAILED" in ran.err
    assert "Nothing was gone back to: api is still to run late:does-not-exist" in ran.err
    again = deploy(live_stack, "late:does-not-exist")
    assert again.code == 10, again.err
    assert len(in_the_box().rollouts) == 3, "the second one was no new deployment"
    monkeypatch.setattr(life, "start_failure", lambda _: None)  # the image has been pushed
    ran = deploy(live_stack, "late:does-not-exist")
    assert ran.code == 0, ran.err
    listed = live_stack.desk.well("releases", "--json", "--suffix", SUFFIX).lines
    assert next(one["result"] for one in listed[0]["releases"]) == "ok"
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_what_runs_already_is_said_to_and_how_to_have_its_tag_looked_up_anew(live_stack: LiveStack) -> None:
    assert deploy(live_stack, "same:latest").code == 0
    mark = live_stack.desk.mark()

    ran = deploy(live_stack, "same:latest")

    assert ran.code == 0
    assert live_stack.desk.acts(mark) == []
    assert "It runs that already" in ran.err
    assert "`restart`" in ran.err


@pytest.mark.parametrize("verb", ["deploy", "rollback"])
def test_what_runs_already_is_asked_whether_it_answers(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    assert deploy(live_stack, "asked:1").code == 0
    what = ["--image", "asked:1"] if verb == "deploy" else ["--to", live_stack.service["taskDefinition"]]
    monkeypatch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 502))

    ran = live_stack.desk.run(verb, "--yes", "--suffix", SUFFIX, *what)

    assert ran.code == 1
    assert "does not answer as it should" in ran.err
    assert live_stack.desk.run(verb, "--yes", "--no-smoke", "--suffix", SUFFIX, *what).code == 0


@pytest.mark.parametrize(
    ("image", "can_be"),
    [
        ("m:1", True),
        ("acme/model", True),
        ("localhost:5000/a/b-c__d:v1.2_X", True),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/ml/api@sha256:" + "a" * 64, True),
        ("ghcr.io/Acme/model:1", False),
        ("", False),
        ("m:", False),
        ("a b", False),
        ("m:1\n", False),
        ("-x", False),
        ("https://r.example/m:1", False),
        ("m@sha256:12", False),
    ],
)
def test_a_name_that_no_registry_has_is_known(image: str, *, can_be: bool) -> None:
    assert is_reference(image) is can_be


def test_an_impossible_image_is_refused_before_anything_is_asked(live_stack: LiveStack) -> None:
    mark = live_stack.desk.mark()

    ran = deploy(live_stack, "Acme/Model:1")

    assert ran.code == 64
    assert "no registry has such a name" in ran.err
    assert live_stack.desk.acts(mark) == []


def test_a_revision_of_another_port_is_refused_before_anything_changes(live_stack: LiveStack) -> None:
    ecs, before = live_stack.aws("ecs"), live_stack.service
    props = registration_arguments(live_stack.task)
    props["containerDefinitions"][0]["portMappings"][0] |= {"containerPort": 9090, "hostPort": 9090}
    made = ecs.register_task_definition(**props, tags=before["tags"])["taskDefinition"]

    ran = live_stack.desk.run("rollback", "--yes", "--suffix", SUFFIX, "--to", str(made["revision"]))

    assert ran.code == 5, ran.err
    assert "(api:8080): it was made for another port" in ran.err
    assert "container.port" in ran.err
    assert live_stack.service["taskDefinition"] == before["taskDefinition"]


def test_without_the_right_to_ask_for_deployments_the_revision_that_runs_tells(live_stack: LiveStack) -> None:
    box = live_stack.desk.box
    for number, name in enumerate(("List", "Describe"), start=1):
        box.faults({"operation": f"ecs:{name}ServiceDeployments", "fault": "access_denied", "times": 99})
        ran = deploy(live_stack, f"unasked:{number}")
        box.faults()
        assert ran.code == 0, ran.err
        assert live_stack.task["containerDefinitions"][0]["image"] == f"unasked:{number}"
        assert ("ECS's own word for the deployment is not heard" in ran.err) is (name == "List")
        assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "call",
    [
        "ListTasks",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("DescribeTasks", "StopServiceDeployment")),
    ],
)
def test_without_the_right_to_see_tasks_stop_fail_fast_waits_on(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(model.Service, "threshold", 6)
    live_stack.desk.box.faults({"operation": f"ecs:{call}", "fault": "access_denied", "times": 99})
    live_stack.desk.slow(0.01)

    ran = deploy(live_stack, f"{call.lower()}:does-not-exist", "--fail-fast")

    live_stack.desk.slow(0.0)
    live_stack.desk.box.faults()
    assert ran.code == 10, ran.err
    assert ran.err.count("--fail-fast cannot end this early") == 1
    assert f"{call} answered AccessDenied" in ran.err


def test_a_service_that_somebody_deletes_meanwhile_is_told(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = RolloutWatch.read_stage

    def look(rolling: RolloutWatch) -> RolloutStage:
        with monkeypatch.context() as patch:
            patch.setattr(rollout_watch, "describe_services", lambda *_: [{"status": "DRAINING"}])
            return really(rolling)

    monkeypatch.setattr(RolloutWatch, "read_stage", look)

    ran = deploy(live_stack, "deleted:1")

    assert ran.code == 1
    assert "was deleted meanwhile" in ran.err
