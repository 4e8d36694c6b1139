"""`deploy` when a reply is lost, when it is killed, when others are at work, when AWS says no."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.commands import smoke_test
from provisioner.commands.service_controller import ServiceController
from provisioner.resources.ecs import rollout_watch, rollouts
from provisioner.resources.ecs.described_services import describe_services
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.task_definitions import TaskDefinition
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import ROOT, CommandResult

pytestmark = pytest.mark.slow
CALLS = ("ecs:TagResource", "ecs:RegisterTaskDefinition", "ecs:UpdateService")
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model"
BACK = ("rollback", "--yes", "--suffix", SUFFIX)


@pytest.fixture(scope="module", autouse=True)
def _no_visits() -> Any:
    """Every service answers well: whether it does is asked elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 200))
        yield


def deploy(live_stack: LiveStack, image: str, *more: str) -> CommandResult:
    """One deploy."""
    return live_stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", image, *more)


def images(live_stack: LiveStack) -> list[str]:
    """The images of all revisions there are, oldest first."""
    ecs = live_stack.aws("ecs")
    arns = ecs.list_task_definitions(familyPrefix=f"ml-api-taskdef-{SUFFIX}")["taskDefinitionArns"]
    found = (ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns)
    return [one["containerDefinitions"][0]["image"] for one in found]


def begun(live_stack: LiveStack) -> int:
    """How many deployments of the service there were."""
    where = {"cluster": f"ml-api-cluster-{SUFFIX}", "service": f"ml-api-service-{SUFFIX}"}
    return len(live_stack.aws("ecs").list_service_deployments(**where, maxResults=100)["serviceDeployments"])


def test_a_lost_reply_is_no_second_revision_and_no_second_deployment(live_stack: LiveStack) -> None:
    before = begun(live_stack)
    orders = ({"operation": name, "fault": "lost_reply"} for name in CALLS)
    live_stack.desk.box.faults(*orders)

    ran = deploy(live_stack, "lost:1")

    assert ran.code == 0, ran.err
    assert images(live_stack).count("lost:1") == 1
    assert begun(live_stack) == before + 1
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def killed_after(monkeypatch: pytest.MonkeyPatch, whose: Any, verb: str) -> None:
    """AWS has the call, and this run ends before it has read the reply."""
    really: Callable[..., Any] = getattr(whose, verb)

    def kill(*given: Any, **more: Any) -> None:
        really(*given, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(whose, verb, kill)


@pytest.mark.parametrize(
    ("whose", "verb"), [(ServiceController, "mark"), (TaskDefinition, "create"), (Service, "update")]
)
def test_a_deploy_that_was_killed_is_gone_on_with(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, whose: Any, verb: str
) -> None:
    image, before = f"killed:{verb}", begun(live_stack)
    killed_after(monkeypatch, whose, verb)
    assert deploy(live_stack, image).code == 130
    monkeypatch.undo()

    told = live_stack.desk.plan(SUFFIX)
    assert told == "No changes.\n" or "0 to add, 0 to change, 0 to destroy, 1 to finish" in told
    ran = deploy(live_stack, image)

    assert ran.code == 0, ran.err
    assert images(live_stack).count(image) == 1
    assert begun(live_stack) == before + 1
    assert live_stack.task["containerDefinitions"][0]["image"] == image


def cut_off(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Three deployments of images of this name, and a rollback that is killed when AWS has its call."""
    for number in (1, 2, 3):
        assert deploy(live_stack, f"{name}:{number}").code == 0
    killed_after(monkeypatch, Service, "update")
    assert live_stack.desk.run(*BACK).code == 130
    monkeypatch.undo()


@pytest.mark.parametrize("verb", ["update", "none"])
def test_a_rollback_that_was_cut_off_goes_no_further_back(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """AWS has the call, the run saw no end of it: the same command goes on, the next one goes further."""
    user = live_stack.desk
    for number in (1, 2, 3):
        assert deploy(live_stack, f"{verb}:{number}").code == 0
    before = begun(live_stack)
    if verb == "update":
        killed_after(monkeypatch, Service, verb)
        assert user.run(*BACK).code == 130
    else:
        user.box.faults({"operation": "ecs:DescribeServiceDeployments", "fault": "expired", "times": 9})
        assert user.run(*BACK).code == 3
        user.box.faults()
    monkeypatch.undo()

    ran = user.well(*BACK)

    assert ran.out.startswith(f"api runs {verb}:2 ")
    assert "An earlier rollback was cut off" in ran.err
    assert begun(live_stack) == before + 1
    assert user.plan(SUFFIX) == "No changes.\n"
    assert user.well(*BACK).out.startswith(f"api runs {verb}:1 ")


@pytest.mark.parametrize("between", [("scale", "--max", "9"), ("run", "--local", "--", "migrate")], ids=str)
def test_what_is_typed_in_between_makes_a_rollback_go_no_further(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, between: tuple[str, ...]
) -> None:
    cut_off(live_stack, monkeypatch, between[0])
    verb, *more = between
    assert live_stack.desk.run(verb, "--yes", "--suffix", SUFFIX, *more, local=verb != "run").code == 0

    assert live_stack.desk.well(*BACK).out.startswith(f"api runs {between[0]}:2 ")
    live_stack.desk.apply(SUFFIX)


def test_a_rollback_that_an_apply_has_ended_is_no_open_one(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(live_stack, monkeypatch, "ended")
    live_stack.desk.apply(SUFFIX)

    assert live_stack.desk.well(*BACK).out.startswith("api runs ended:1 ")


@pytest.mark.parametrize("hides", [0.0, 0.5])
def test_a_restart_whose_reply_is_lost_is_one_rollout(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, hides: float
) -> None:
    """Also where ECS shows what it has begun a little later: the next try waits for as long as it may."""
    before, start = begun(live_stack), time.monotonic()
    really = describe_services

    def described(*given: Any) -> Any:
        docs = really(*given)
        late = time.monotonic() - start < hides and seen
        seen.extend(docs[:1])
        return seen[:1] if late else docs

    seen: list[Any] = []
    monkeypatch.setattr(rollouts, "describe_services", described)
    live_stack.desk.box.faults({"operation": "ecs:UpdateService", "fault": "lost_reply"})

    ran = live_stack.desk.run("restart", "--yes", "--suffix", SUFFIX)

    assert ran.code == 0, ran.err
    assert begun(live_stack) == before + 1


@pytest.mark.parametrize("fault", ["kill_before", "kill_after"])
def test_a_restart_that_was_killed_is_gone_on_with(live_stack: LiveStack, fault: str) -> None:
    """AWS may have ended what was begun by the time that the same command comes again."""
    user, before = live_stack.desk, begun(live_stack)
    typed = ("restart", "--yes", "--no-smoke", "--local", "--suffix", SUFFIX)
    with user.spawn(*typed) as process:
        user.box.faults({"operation": "ecs:UpdateService", "fault": fault, "pid": process.pid})
        process.communicate(timeout=240)
    assert process.returncode < 0
    user.box.faults()

    ran = user.run(*typed, local=False)

    assert ran.code == 0, ran.err
    assert begun(live_stack) == before + 1
    assert ("An earlier restart was cut off" in ran.err) == (fault == "kill_after")
    assert user.plan(SUFFIX) == "No changes.\n"
    user.well(*typed[:-3], "--suffix", SUFFIX)
    assert begun(live_stack) == before + 2


def test_where_nobody_tells_of_deployments_the_revision_that_runs_does(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_watch, "list_rollouts", lambda *_: None)

    assert deploy(live_stack, "untold:1").code == 0
    ran = deploy(live_stack, "web:does-not-exist")

    assert ran.code == 10, ran.err
    assert live_stack.task["containerDefinitions"][0]["image"] == "untold:1"


def test_an_image_in_ecr_is_pinned_and_may_be_pulled(live_stack: LiveStack) -> None:
    ecr = live_stack.aws("ecr")
    ecr.create_repository(repositoryName="model")
    type_name = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": type_name, "config": {}, "layers": []})
    ecr.put_image(repositoryName="model", imageManifest=manifest, imageTag="v1")
    digest = ecr.describe_images(repositoryName="model")["imageDetails"][0]["imageDigest"]

    ran = deploy(live_stack, f"{ECR}:v1")

    assert ran.code == 0, ran.err
    assert live_stack.task["containerDefinitions"][0]["image"] == f"{ECR}@{digest}"
    told = [statement for _, statement in live_stack.statements()]
    assert any("repository/model" in str(one["Resource"]) for one in told)
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"

    ran = deploy(live_stack, f"{ECR}:v2")
    assert (ran.code, "There is no image" in ran.err) == (64, True)

    ecr.create_repository(repositoryName="bad")
    ecr.put_image(repositoryName="bad", imageManifest=manifest, imageTag="v1")
    ran = deploy(live_stack, f"{ECR.removesuffix('model')}bad:v1", "--env", "HOW=EXIT=3")
    assert ran.code == 10, ran.err
    granted = [str(statement["Resource"]) for _, statement in live_stack.statements()]
    assert any("repository/model" in one for one in granted), "what runs again could not be pulled"
    assert not any("repository/bad" in one for one in granted)
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_two_at_once_are_one_after_the_other(live_stack: LiveStack) -> None:
    held = live_stack.desk.home / "embedded"
    hold = (
        "import sys, time; from pathlib import Path; from provisioner.workspace import Workspace;"
        "from provisioner.engine.calls.clock import Clock;"
        "work = Workspace.here(local=True, state=None)\n"
        f"with work.lock('{SUFFIX}', 'apply', 0, Clock()): print('held', flush=True); sys.stdin.read()"
    )
    environment = {"MLAPI_HOME": str(held.parent), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "held\n"
        mark = live_stack.desk.mark()
        ran = deploy(live_stack, "two:1")
        assert (ran.code, live_stack.desk.tries(mark)) == (7, [])
        timer = threading.Timer(0.5, other.stdin.close)
        timer.start()
        assert deploy(live_stack, "two:1", "--lock-timeout", "30s").code == 0
        timer.join()


def test_expired_credentials_are_named(live_stack: LiveStack) -> None:
    live_stack.desk.box.faults({"operation": "ecs:UpdateService", "fault": "expired", "times": 9})

    ran = deploy(live_stack, "expired:1")

    live_stack.desk.box.faults()
    assert ran.code == 3, ran.err
    assert deploy(live_stack, "expired:1").code == 0
    assert images(live_stack).count("expired:1") == 1


def test_a_service_that_is_not_there_is_named(live_stack: LiveStack, tmp_path: Path) -> None:
    ran = live_stack.desk.elsewhere(tmp_path).run("deploy", "--yes", "--suffix", SUFFIX, "--image", "x:1")
    assert ran.code == 6

    where = {"cluster": f"ml-api-cluster-{SUFFIX}", "service": f"ml-api-service-{SUFFIX}"}
    live_stack.aws("ecs").delete_service(**where, force=True)
    for command in (("deploy", "--image", "x:1"), ("rollback",), ("restart",), ("releases",)):
        ran = live_stack.desk.run(command[0], "--suffix", SUFFIX, *command[1:])
        assert (ran.code, "is not there" in ran.err) == (4, True), ran.err


@pytest.mark.parametrize("name", CALLS[1:])
def test_a_process_that_was_killed_is_gone_on_with(live_stack: LiveStack, name: str) -> None:
    """With SIGKILL, when AWS had the call: nobody wrote anything down any more."""
    user, image = live_stack.desk, f"dead:{name.partition(':')[2].lower()}"
    user.apply(SUFFIX)
    typed = ("deploy", "--yes", "--no-smoke", "--local", "--suffix", SUFFIX, "--image", image)
    with user.spawn(*typed) as process:
        user.box.faults({"operation": name, "fault": "kill_after", "pid": process.pid})
        process.communicate(timeout=60)
    assert process.returncode < 0

    ran = user.process(*typed)

    assert ran.code == 0, ran.err
    assert images(live_stack).count(image) == 1
    assert live_stack.task["containerDefinitions"][0]["image"] == image
    assert user.plan(SUFFIX) == "No changes.\n"
