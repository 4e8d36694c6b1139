"""What ships: the main path of each verb; the rest is in test_deploy_again, test_run and test_smoke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.emulator.ecs import model
from provisioner.workflows import smoke_test
from tests.harness import Ran
from tests.standing import SUFFIX, Standing, tags

IMAGE = "public.ecr.aws/acme/model:1.4.2"


def deploy(stack: Standing, image: str, *more: str, code: int = 0) -> Ran:
    """One deploy, that ends with this code."""
    ran = stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", image, *more)
    assert ran.code == code, ran.err
    return ran


def container(stack: Standing) -> dict[str, Any]:
    """What the service runs."""
    return dict(stack.task["containerDefinitions"][0])


def revisions(stack: Standing) -> int:
    """How many revisions of the task there are."""
    listed = stack.aws("ecs").list_task_definitions(familyPrefix=f"ml-api-taskdef-{SUFFIX}")
    return len(listed["taskDefinitionArns"])


def test_what_was_shipped_runs_and_is_left_alone(standing: Standing) -> None:
    desk, before = standing.desk, standing.task["revision"]

    ran = deploy(standing, IMAGE, "--cpu", "2048", "--memory", "4096", "--env", "LOG_LEVEL=debug")

    assert ran.out == f"api runs {IMAGE} (revision {before + 1}).\n"
    asked = [line.split()[:4] for line in ran.err.splitlines() if line.startswith("  ok ")]
    assert ["ok", "CloudFront", "/health", "200"] in asked
    assert sum(line[1] == "load" for line in asked) == len(asked) / 2 == 3
    one = container(standing)
    assert one["image"] == IMAGE
    assert not one.get("command")
    assert {"name": "LOG_LEVEL", "value": "debug"} in one["environment"]
    assert (standing.task["cpu"], standing.task["memory"]) == ("2048", "4096")
    told = tags(standing.service["tags"])
    assert told["ml-api:image-owner"] == "deploy"
    assert told["ml-api:shipped-with"] == "size env.LOG_LEVEL"
    assert desk.plan(SUFFIX) == "No changes.\n"
    (drift,) = desk.well("drift", "--suffix", SUFFIX, "--json").lines
    held = {field["path"]: field["owner"] for one in drift["drift"] for field in one["fields"]}
    assert held == dict.fromkeys(("image", "cpu", "memory", "environment.LOG_LEVEL"), "deploy")

    mark = desk.mark()
    assert "runs" in deploy(standing, IMAGE).out
    assert desk.acts(mark) == []
    records = (desk.home / "embedded" / "runs").rglob("*Z.json")
    assert not any("debug" in path.read_text() for path in records)


@pytest.mark.slow
def test_what_was_shipped_outlives_the_state_file(standing: Standing, tmp_path: Path) -> None:
    deploy(standing, "kept:1")
    deploy(standing, "web:does-not-exist", code=10)
    runs = standing.service["taskDefinition"]

    other = standing.desk.elsewhere(tmp_path / "another")
    other.apply(SUFFIX)

    assert container(standing)["image"] == "kept:1"
    assert standing.service["taskDefinition"] == runs


def test_what_does_not_answer_is_told_with_the_way_back(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_test, "_visit", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 502))

    ran = deploy(standing, "broken:1", code=1)

    assert "is rolled out and does not answer" in ran.err
    assert f"rollback --suffix {SUFFIX} --local" in ran.err
    assert container(standing)["image"] == "broken:1"


def test_a_deployment_that_is_rolled_back_says_why(standing: Standing) -> None:
    deploy(standing, IMAGE)
    before = standing.service["taskDefinition"]

    ran = deploy(standing, f"{IMAGE}-bad", "--env", "HOW=EXIT=3", code=10)

    for words in ("ROLLBACK_SUCCESSFUL", "exit code 3", "The last lines of container api", f"runs {IMAGE} "):
        assert words in ran.err
    assert standing.service["taskDefinition"] == before
    assert standing.desk.plan(SUFFIX) == "No changes.\n"


@pytest.mark.slow
def test_what_failed_and_is_tried_again_is_no_other_revision(standing: Standing) -> None:
    deploy(standing, "web:does-not-exist", code=10)
    count = revisions(standing)

    ran = deploy(standing, "web:does-not-exist", "--json", code=10)

    assert revisions(standing) == count
    assert json.loads(ran.out.splitlines()[-1])["result"] == "rolled_back"


@pytest.mark.slow
def test_with_fail_fast_the_first_hopeless_task_ends_the_wait(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The circuit breaker alone would wait for a hundred of them."""
    deploy(standing, IMAGE)
    monkeypatch.setattr(model.Service, "threshold", 100)
    standing.desk.slow(0.01)

    ran = deploy(standing, "web:does-not-exist", "--fail-fast", code=10)

    assert "the deployment is given up" in ran.err
    assert "CannotPullContainerError" in ran.err
    standing.desk.slow(0.0)
    assert container(standing)["image"] == IMAGE


def listed(stack: Standing) -> list[dict[str, Any]]:
    """What `releases` tells."""
    (told,) = stack.desk.well("releases", "--suffix", SUFFIX, "--json").lines
    return list(told["releases"])


def test_the_releases_tell_what_ran_and_a_rollback_goes_to_the_last_good_one(standing: Standing) -> None:
    before = deploy(standing, "good:1").out
    deploy(standing, "good:2")

    ran = standing.desk.well("rollback", "--yes", "--suffix", SUFFIX)

    assert ran.out == before
    told = {one["image"]: (one["result"], one["runs"], "@" in one["by"]) for one in listed(standing)}
    assert (told["good:2"], told["good:1"]) == (("ok", False, True), ("ok", True, True))
    assert standing.desk.plan(SUFFIX) == "No changes.\n"


def test_a_task_by_itself_says_and_ends_as_its_command_does(standing: Standing) -> None:
    ran = standing.desk.run("run", "--local", "--yes", "--suffix", SUFFIX, "--", "migrate", "EXIT=3", local=False)

    assert ran.code == 3, ran.err
    assert ran.out.splitlines()[1:] == ["running migrate EXIT=3", "ending with exit code 3"]


def test_counts_that_were_scaled_are_left_alone(standing: Standing) -> None:
    ran = standing.desk.well("scale", "--yes", "--suffix", SUFFIX, "--max", "7")

    assert ran.out == "api is scaled between 2 and 7 tasks.\n"
    assert standing.desk.plan(SUFFIX, "--set", "service.maximum=20") == "No changes.\n"


@pytest.mark.slow
def test_a_rollback_goes_to_the_last_good_revision_and_then_further_back(standing: Standing) -> None:
    desk = standing.desk
    deploy(standing, "good:1")
    deploy(standing, "good:2")
    first, second = (f"good:{n}" for n in (1, 2))
    deploy(standing, "web:does-not-exist", code=10)
    deploy(standing, "good:3")

    told = listed(standing)[:4]
    assert [(one["image"], one["result"], one["runs"]) for one in told] == [
        ("good:3", "ok", True),
        ("web:does-not-exist", "rolled back", False),
        (second, "ok", False),
        (first, "ok", False),
    ]
    assert all("@" in one["by"] for one in told)

    for image in (second, first):
        assert f"api runs {image} " in desk.well("rollback", "--yes", "--suffix", SUFFIX).out
        assert container(standing)["image"] == image
        assert desk.plan(SUFFIX) == "No changes.\n"
    third = next(one for one in listed(standing) if one["image"] == "good:3")["revision"]
    desk.well("rollback", "--yes", "--suffix", SUFFIX, "--to", str(third))
    assert container(standing)["image"] == "good:3"
    ran = desk.run("rollback", "--yes", "--suffix", SUFFIX, "--to", "999")
    assert (ran.code, "There is no revision 999" in ran.err) == (64, True)
    table = desk.well("releases", "--suffix", SUFFIX).out.splitlines()
    assert table[0].split() == ["revision", "image", "when", "by", "result"]
    assert table[1].startswith(f"*  {third} ")


def test_a_restart_brings_new_tasks_of_the_same_revision(standing: Standing) -> None:
    desk, before = standing.desk, standing.service
    arns = standing.aws("ecs").list_tasks(cluster=before["clusterArn"])["taskArns"]

    desk.well("restart", "--yes", "--suffix", SUFFIX)

    after = standing.service
    assert after["taskDefinition"] == before["taskDefinition"]
    assert not set(arns) & set(standing.aws("ecs").list_tasks(cluster=before["clusterArn"])["taskArns"])
    assert desk.plan(SUFFIX) == "No changes.\n"


@pytest.mark.parametrize(
    ("more", "words", "code"),
    [
        (("--service", "apii"), "Did you mean api?", 64),
        (("--cpu", "256", "--memory", "8192"), "Fargate has no task of 256 CPU units", 64),
        (("--env", "DB_PASSWORD=x"), "DB_PASSWORD is filled from a secret", 64),
        (("--env", "no value"), "NAME=VALUE", 64),
    ],
)
def test_what_cannot_be_is_refused_before_anything_changes(
    standing: Standing, more: tuple[str, ...], words: str, code: int
) -> None:
    mark = standing.desk.mark()

    ran = deploy(standing, "other:1", *more, code=code)

    assert words in ran.err
    assert standing.desk.tries(mark) == []


def test_a_stack_that_is_not_known_has_nothing_to_deploy_to(standing: Standing) -> None:
    ran = standing.desk.run("deploy", "--yes", "--suffix", "nobody", "--image", IMAGE)

    assert ran.code == 6


@pytest.mark.slow
def test_a_teardown_takes_every_revision_along(standing: Standing) -> None:
    assert revisions(standing) > 1

    standing.desk.teardown(SUFFIX)

    assert revisions(standing) == 0
    for status in ("ACTIVE", "INACTIVE"):
        assert standing.aws("ecs").list_task_definitions(status=status)["taskDefinitionArns"] == []
