"""A service whose tasks do not come up: told by the exit code, and in the container's own words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.emulator.ecs import scheduler
from provisioner.emulator.server import LocalAws
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.errors import RolledBack
from provisioner.resources.ecs.deployment_diagnosis import Diagnosis
from provisioner.resources.ecs.service import Service
from provisioner.service_clients import ECS
from tests.support.account_inventory import client
from tests.support.fake_resources import as_client
from tests.support.user import CommandResult, User


@pytest.fixture(scope="module")
def user(served: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user whose stack stands; the tests here change it one after another."""
    user = User.before(served, tmp_path_factory.mktemp("deployments") / "home")
    user.apply("a")
    return user


def failed(user: User, *more: str) -> CommandResult:
    """An apply that ends with a deployment that was given up."""
    ran = user.run("apply", "--yes", "--suffix", "a", *more)
    assert ran.code == 10, ran.err
    return ran


def running(user: User) -> str:
    """The revision that the service runs."""
    where: dict[str, Any] = {"cluster": "ml-api-cluster-a", "services": ["ml-api-service-a"]}
    (one,) = client(user.box.endpoint, "ecs").describe_services(**where)["services"]
    return str(one["taskDefinition"])


def test_a_container_that_ends_is_told_with_its_exit_code_and_last_lines(user: User) -> None:
    ran = failed(user, "--set", 'container.environment={"HOW": "EXIT=3"}')

    for words in (
        "ROLLBACK_SUCCESSFUL: ECS deployment circuit breaker: tasks failed to start.",
        "stopped: Essential container in task exited",
        "container api ended with exit code 3",
        "The last lines of container api:\n  starting ",
        "\n  ending with exit code 3\n",
        "it ended by itself",
    ):
        assert words in ran.err
    assert not any("ending with exit code" in path.read_text() for path in user.home.rglob("*.json"))


def test_what_may_not_be_asked_is_said_and_hides_nothing_else(user: User) -> None:
    before = running(user)
    mark = user.mark()
    user.plan("a", "--set", "image=web:does-not-exist")
    planned = sum(call["operation"] == "ListTasks" for call in user.box.emulator.calls.since(mark))
    user.box.faults({"operation": "ecs:ListTasks", "fault": "access_denied", "nth": planned + 1})

    ran = failed(user, "--set", "image=web:does-not-exist")

    assert "(ListTasks answered AccessDeniedException" in ran.err
    assert "ROLLBACK_SUCCESSFUL" in ran.err
    assert running(user) == before


def test_a_log_group_that_is_not_there_is_the_cause_and_no_secret() -> None:
    stopped = "ResourceInitializationError: failed to validate logger args: The specified log group does not exist."

    assert "`apply` creates it again" in Diagnosis(stop_reason=stopped).remedy


def test_what_failed_is_told_even_if_ecs_describes_no_deployment_of_the_service() -> None:
    deployment = {
        "serviceDeploymentArn": "arn:d",
        "createdAt": datetime.now(UTC),
        "status": "ROLLBACK_FAILED",
        "statusReason": "tasks failed to start.",
    }
    ecs = SimpleNamespace(
        list_service_deployments=lambda **_: {"serviceDeployments": [deployment]},
        describe_service_deployments=lambda **_: {"serviceDeployments": []},
        list_tasks=lambda **_: {"taskArns": []},
    )
    props = {"cluster": "c", "serviceName": "s", "taskDefinition": "arn:t:2"}

    error = Service().failure(as_client(ECS, ecs), ResourceSpec("service", "s", "a", props), {"status": "ACTIVE"})

    assert isinstance(error, RolledBack)
    assert "ROLLBACK_FAILED: tasks failed to start." in str(error)


def test_an_image_that_is_not_there_is_told_to_a_machine_too(user: User) -> None:
    ran = failed(user, "--json", "--set", "image=web:does-not-exist")

    told = json.loads(ran.out.splitlines()[-1])
    assert (told["type"], told["result"]) == ("error", "rolled_back")
    assert "CannotPullContainerError" in told["message"]
    assert "Mend `image`" in told["hint"]


@pytest.mark.slow
def test_what_looks_steady_may_be_what_was_before(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment of the same revision that was rolled back ends as one that arrived does."""
    user.apply("a")
    really = scheduler.finish
    monkeypatch.setattr(
        scheduler, "finish", lambda rollout, *_: really(rollout, "ROLLBACK_SUCCESSFUL", "stopped by an alarm")
    )

    ran = failed(user, "--set", "service.grace=77")

    assert "ROLLBACK_SUCCESSFUL: stopped by an alarm" in ran.err
    monkeypatch.undo()
    user.apply("a", "--set", "service.grace=78")


def test_a_deployment_that_failed_before_does_not_fail_an_apply_of_counts(user: User) -> None:
    user.well("apply", "--yes", "--suffix", "a")
    user.well("deploy", "--yes", "--suffix", "a", "--image", "mine.example/api:1")
    assert (
        user.run("deploy", "--yes", "--suffix", "a", "--image", "mine.example/api:2", "--env", "HOW=EXIT=3").code == 10
    )
    before = running(user)
    user.well("scale", "--yes", "--suffix", "a", "--max", "12")

    user.apply("a", "--take", "counts")

    assert running(user) == before
