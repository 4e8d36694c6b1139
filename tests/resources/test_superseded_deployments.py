"""A deployment whose place a newer one took: told as that, and never as a bad image."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.commands import smoke_test
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import RolledBack, Superseded
from provisioner.resources.ecs.revisions import registration_arguments
from provisioner.resources.ecs.rollout_watch import RolloutStage, RolloutWatch
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.service_deployments import has_failed, superseding_deployment, was_stopped_by_hand
from provisioner.service_clients import ECS
from tests.support.fake_resources import as_client
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult


@pytest.fixture(autouse=True)
def _no_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 200))


def deploy(live_stack: LiveStack, image: str) -> CommandResult:
    """One deploy."""
    return live_stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", image)


def somebody_deploys(live_stack: LiveStack, image: str) -> str:
    """Another pipeline registers a revision and has the service run it."""
    ecs, service = live_stack.aws("ecs"), live_stack.service
    props = registration_arguments(live_stack.task)
    props["containerDefinitions"][0]["image"] = image
    arn = ecs.register_task_definition(**props, tags=service["tags"])["taskDefinition"]["taskDefinitionArn"]
    roll(live_stack, arn)
    return str(arn)


def roll(live_stack: LiveStack, arn: str) -> None:
    """Have the service run a revision."""
    service = live_stack.service
    live_stack.aws("ecs").update_service(
        cluster=service["clusterArn"], service=service["serviceName"], taskDefinition=arn
    )


def before_the_first_look(monkeypatch: pytest.MonkeyPatch, act: Callable[[RolloutWatch], Any]) -> list[Any]:
    """Let somebody act once the deployment has begun; what came of it."""
    really = RolloutWatch.read_stage
    done: list[Any] = []

    def look(rolling: RolloutWatch) -> RolloutStage:
        if not done:
            done.append(None)
            done[0] = act(rolling)
        return really(rolling)

    monkeypatch.setattr(RolloutWatch, "read_stage", look)
    return done


@pytest.mark.parametrize("listed", [True, False])
def test_a_newer_deployment_of_somebody_else_is_named(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, *, listed: bool
) -> None:
    if not listed:
        fault = {"operation": "ecs:ListServiceDeployments", "fault": "access_denied", "times": 99}
        live_stack.desk.box.faults(fault)
    mine = f"mine-{listed}:1".lower()
    live_stack.desk.slow(0.02)
    theirs = before_the_first_look(monkeypatch, lambda _: somebody_deploys(live_stack, "theirs:2"))

    ran = deploy(live_stack, mine)

    live_stack.desk.slow(0.0)
    live_stack.desk.box.faults()
    assert ran.code == 4, ran.err
    assert "was superseded" in ran.err
    assert f"that of {theirs[0].rpartition('/')[2]} began at 20" in ran.err
    assert "theirs:2" in ran.err
    assert "Mend" not in ran.err
    assert "CloudTrail" in ran.err
    monkeypatch.undo()
    monkeypatch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 200))
    assert deploy(live_stack, mine).code == 0
    assert live_stack.task["containerDefinitions"][0]["image"] == mine
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_one_that_somebody_takes_back_by_hand_is_no_bad_image(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = live_stack.service["taskDefinition"]
    live_stack.desk.slow(0.02)
    before_the_first_look(monkeypatch, lambda _: roll(live_stack, former))

    ran = deploy(live_stack, "taken-back:1")

    live_stack.desk.slow(0.0)
    assert ran.code == 4, ran.err
    assert former.rpartition("/")[2] in ran.err


def test_a_newer_one_of_the_same_revision_is_followed(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    ecs, service = live_stack.aws("ecs"), live_stack.service

    def again(rolling: RolloutWatch) -> None:
        rolling.arn = rolling.find_arn()
        ecs.update_service(cluster=service["clusterArn"], service=service["serviceName"], forceNewDeployment=True)

    live_stack.desk.slow(0.02)
    before_the_first_look(monkeypatch, again)

    ran = deploy(live_stack, "twice:1")

    live_stack.desk.slow(0.0)
    assert ran.code == 0, ran.err


def primary(revision: str, **more: Any) -> dict[str, Any]:
    """The deployment that a service wants."""
    at = datetime.fromtimestamp(7, UTC)
    return {"status": "PRIMARY", "taskDefinition": revision, "createdAt": at, **more}


def test_what_ecs_went_back_to_took_nobodys_place() -> None:
    failed = {"status": "ACTIVE", "taskDefinition": "f:2", "rolloutState": "FAILED"}

    assert superseding_deployment({"deployments": [primary("f:1"), failed]}, "f:2") is None
    assert superseding_deployment({"deployments": [primary("f:1")]}, "f:2", {"f:1"}) is None
    assert superseding_deployment({"deployments": [primary("f:2")]}, "f:2") is None
    found = superseding_deployment({"deployments": [primary("f:3")]}, "f:2", {"f:1"})
    assert found is not None
    assert (found.revision, found.created_at) == ("f:3", 7)


@pytest.mark.parametrize(
    ("doc", "judged"),
    [
        ({}, False),
        ({"deploymentCircuitBreaker": {"status": "MONITORING_COMPLETE"}}, False),
        ({"deploymentCircuitBreaker": {"status": "TRIGGERED"}}, True),
        ({"alarms": {"status": "TRIGGERED"}}, True),
        ({"rollback": {"reason": "x"}}, True),
    ],
)
def test_ecs_judges_by_tasks_and_by_alarms(doc: dict[str, Any], *, judged: bool) -> None:
    assert has_failed(doc) is judged


@pytest.mark.parametrize(
    ("newest", "breaker", "told"),
    [
        ("SUCCESSFUL", "MONITORING_COMPLETE", Superseded),
        ("ROLLBACK_SUCCESSFUL", "TRIGGERED", RolledBack),
        ("ROLLBACK_SUCCESSFUL", "MONITORING_COMPLETE", RolledBack),
    ],
)
def test_an_apply_tells_a_newer_deployment_from_one_that_went_back(newest: str, breaker: str, told: type) -> None:
    listed = [{"createdAt": datetime.fromtimestamp(9, UTC), "status": newest, "serviceDeploymentArn": "d"}]
    whole = {**listed[0], **ended(breaker)}
    ecs = SimpleNamespace(
        list_service_deployments=lambda **_: {"serviceDeployments": listed},
        describe_service_deployments=lambda **_: {"serviceDeployments": [whole]},
        list_tasks=lambda **_: {"taskArns": []},
    )
    props = {"cluster": "c", "serviceName": "s", "taskDefinition": "x/f:2"}
    spec = ResourceSpec("service", "s", "prod", props)

    error = Service().failure(as_client(ECS, ecs), spec, {"deployments": [primary("x/f:3")]})

    assert type(error) is told
    assert ("f:3 is to run now" in str(error)) is (told is Superseded)
    assert isinstance(error, (Superseded, RolledBack))
    assert ("Mend" in error.hint) is (breaker == "TRIGGERED")


def test_one_that_somebody_stops_by_hand_is_no_bad_image(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(rolling: RolloutWatch) -> None:
        arn = rolling.find_arn()
        live_stack.aws("ecs").stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")

    former = live_stack.task["containerDefinitions"][0]["image"]
    live_stack.desk.slow(0.02)
    before_the_first_look(monkeypatch, stop)

    ran = deploy(live_stack, "stopped:1")

    live_stack.desk.slow(0.0)
    assert ran.code == 10, ran.err
    assert "was stopped" in ran.err
    assert "StopServiceDeployment" in ran.err
    assert "Mend" not in ran.err
    assert live_stack.task["containerDefinitions"][0]["image"] == former


def ended(breaker: str | None, alarms: str | None = None) -> dict[str, Any]:
    told = {"deploymentCircuitBreaker": breaker, "alarms": alarms}
    return {name: {"status": status} for name, status in told.items() if status}


@pytest.mark.parametrize(
    ("doc", "by_hand"),
    [
        (ended("MONITORING_COMPLETE"), True),
        (ended("MONITORING_COMPLETE", "MONITORING_COMPLETE"), True),
        (ended("TRIGGERED"), False),
        (ended("MONITORING_COMPLETE", "TRIGGERED"), False),
        (ended(None), False),
    ],
)
def test_who_ended_a_deployment_is_told_by_its_judges(doc: dict[str, Any], *, by_hand: bool) -> None:
    assert was_stopped_by_hand({**doc, "rollback": {"reason": "r"}}) is by_hand
