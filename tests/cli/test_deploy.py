"""What ships: the main path of each verb; the rest is in test_deploy_again, test_run and test_smoke."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.commands import smoke_test
from provisioner.emulator.ecs import model
from provisioner.names import PROGRAM
from tests.support.live_stack import SUFFIX, LiveStack, tags
from tests.support.user import CommandResult

IMAGE = "public.ecr.aws/acme/model:1.4.2"


def deploy(live_stack: LiveStack, image: str, *more: str, code: int = 0) -> CommandResult:
    """One deploy, that ends with this code."""
    ran = live_stack.desk.run("deploy", "--yes", "--suffix", SUFFIX, "--image", image, *more)
    assert ran.code == code, ran.err
    return ran


def container(live_stack: LiveStack) -> dict[str, Any]:
    """What the service runs."""
    return dict(live_stack.task["containerDefinitions"][0])


def revisions(live_stack: LiveStack) -> int:
    """How many revisions of the task there are."""
    listed = live_stack.aws("ecs").list_task_definitions(familyPrefix=f"ml-api-taskdef-{SUFFIX}")
    return len(listed["taskDefinitionArns"])


def test_what_was_shipped_runs_and_is_left_alone(live_stack: LiveStack) -> None:
    user, before = live_stack.desk, live_stack.task["revision"]

    ran = deploy(live_stack, IMAGE, "--cpu", "2048", "--memory", "4096", "--env", "LOG_LEVEL=debug")

    assert ran.out == f"api runs {IMAGE} (revision {before + 1}).\n"
    asked = [line.split()[:4] for line in ran.err.splitlines() if line.startswith("  ok ")]
    assert ["ok", "CloudFront", "/health", "200"] in asked
    assert sum(line[1] == "load" for line in asked) == len(asked) / 2 == 3
    one = container(live_stack)
    assert one["image"] == IMAGE
    assert not one.get("command")
    assert {"name": "LOG_LEVEL", "value": "debug"} in one["environment"]
    assert (live_stack.task["cpu"], live_stack.task["memory"]) == ("2048", "4096")
    told = tags(live_stack.service["tags"])
    assert told["ml-api:image-owner"] == "deploy"
    assert told["ml-api:shipped-with"] == "size env.LOG_LEVEL"
    assert user.plan(SUFFIX) == "No changes.\n"
    (drift,) = user.well("drift", "--suffix", SUFFIX, "--json").lines
    held = {field["path"]: field["owner"] for one in drift["drift"] for field in one["fields"]}
    assert held == dict.fromkeys(("image", "cpu", "memory", "environment.LOG_LEVEL"), "deploy")

    mark = user.mark()
    assert "runs" in deploy(live_stack, IMAGE).out
    assert user.acts(mark) == []
    records = list((user.home / "embedded" / "runs").rglob("*Z.json"))
    assert records
    assert not any("debug" in path.read_text() for path in records)


@pytest.mark.slow
def test_what_was_shipped_outlives_the_state_file(live_stack: LiveStack, tmp_path: Path) -> None:
    deploy(live_stack, "kept:1")
    deploy(live_stack, "web:does-not-exist", code=10)
    runs = live_stack.service["taskDefinition"]

    other = live_stack.desk.elsewhere(tmp_path / "another")
    other.apply(SUFFIX)

    assert container(live_stack)["image"] == "kept:1"
    assert live_stack.service["taskDefinition"] == runs


def test_what_does_not_answer_is_told_with_the_way_back(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_test, "send_request", lambda _, door, path: smoke_test.SmokeRequest(door.via, path, 502))

    ran = deploy(live_stack, "broken:1", code=1)

    assert "is rolled out and does not answer" in ran.err
    assert f"rollback --suffix {SUFFIX} --local" in ran.err
    assert container(live_stack)["image"] == "broken:1"


def test_a_deployment_that_is_rolled_back_says_why(live_stack: LiveStack) -> None:
    deploy(live_stack, IMAGE)
    before = live_stack.service["taskDefinition"]

    ran = deploy(live_stack, f"{IMAGE}-bad", "--env", "HOW=EXIT=3", code=10)

    for words in ("ROLLBACK_SUCCESSFUL", "exit code 3", "The last lines of container api", f"runs {IMAGE} "):
        assert words in ran.err
    assert live_stack.service["taskDefinition"] == before
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


@pytest.mark.slow
def test_what_failed_and_is_tried_again_is_no_other_revision(live_stack: LiveStack) -> None:
    deploy(live_stack, "web:does-not-exist", code=10)
    count = revisions(live_stack)

    ran = deploy(live_stack, "web:does-not-exist", "--json", code=10)

    assert revisions(live_stack) == count
    assert json.loads(ran.out.splitlines()[-1])["result"] == "rolled_back"


@pytest.mark.slow
def test_with_fail_fast_the_first_hopeless_task_ends_the_wait(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The circuit breaker alone would wait for a hundred of them."""
    deploy(live_stack, IMAGE)
    monkeypatch.setattr(model.Service, "threshold", 100)
    live_stack.desk.slow(0.01)

    ran = deploy(live_stack, "web:does-not-exist", "--fail-fast", code=10)

    assert "the deployment is given up" in ran.err
    assert "CannotPullContainerError" in ran.err
    live_stack.desk.slow(0.0)
    assert container(live_stack)["image"] == IMAGE


def listed(live_stack: LiveStack) -> list[dict[str, Any]]:
    """What `releases` tells."""
    (told,) = live_stack.desk.well("releases", "--suffix", SUFFIX, "--json").lines
    return list(told["releases"])


def test_the_releases_tell_what_ran_and_a_rollback_goes_to_the_last_good_one(live_stack: LiveStack) -> None:
    before = deploy(live_stack, "good:1").out
    deploy(live_stack, "good:2")

    ran = live_stack.desk.well("rollback", "--yes", "--suffix", SUFFIX)

    assert ran.out == before
    told = {one["image"]: (one["result"], one["runs"], "@" in one["by"]) for one in listed(live_stack)}
    assert (told["good:2"], told["good:1"]) == (("ok", False, True), ("ok", True, True))
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_a_task_by_itself_says_and_ends_as_its_command_does(live_stack: LiveStack) -> None:
    ran = live_stack.desk.run("run", "--local", "--yes", "--suffix", SUFFIX, "--", "migrate", "EXIT=3", local=False)

    assert ran.code == 3, ran.err
    assert ran.out.splitlines()[1:] == ["running migrate EXIT=3", "ending with exit code 3"]


def test_counts_that_were_scaled_are_left_alone(live_stack: LiveStack) -> None:
    ran = live_stack.desk.well("scale", "--yes", "--suffix", SUFFIX, "--max", "7")

    assert ran.out == "api is scaled between 2 and 7 tasks.\n"
    assert live_stack.desk.plan(SUFFIX, "--set", "service.maximum=20").endswith("\nNo changes.\n")


@pytest.mark.slow
def test_a_rollback_goes_to_the_last_good_revision_and_further_only_where_that_is_said(live_stack: LiveStack) -> None:
    user = live_stack.desk
    deploy(live_stack, "good:1")
    deploy(live_stack, "good:2")
    first, second = (f"good:{n}" for n in (1, 2))
    deploy(live_stack, "web:does-not-exist", code=10)
    deploy(live_stack, "good:3")

    told = listed(live_stack)[:4]
    assert [(one["image"], one["result"], one["runs"]) for one in told] == [
        ("good:3", "ok", True),
        ("web:does-not-exist", "rolled back", False),
        (second, "ok", False),
        (first, "ok", False),
    ]
    assert all("@" in one["by"] for one in told)

    numbers = {one["image"]: one["revision"] for one in listed(live_stack)}
    assert f"api runs {second} " in user.well("rollback", "--yes", "--suffix", SUFFIX).out
    assert user.plan(SUFFIX) == "No changes.\n"
    ran = user.run("rollback", "--yes", "--suffix", SUFFIX)
    assert ran.code == 64, ran.err
    assert f"api runs revision {numbers[second]} after a rollback: say with --to which revision is to run." in ran.err
    back, forth = (
        f"`{PROGRAM} rollback --to {numbers[image]} --suffix {SUFFIX} --local`" for image in (first, "good:3")
    )
    assert f"{forth} brings back revision {numbers['good:3']}; {back} goes further back" in ran.err
    assert container(live_stack)["image"] == second
    for image in (first, "good:3"):
        ran = user.well("rollback", "--yes", "--suffix", SUFFIX, "--to", str(numbers[image]))
        assert f"api runs {image} " in ran.out
        assert container(live_stack)["image"] == image
    ran = user.run("rollback", "--yes", "--suffix", SUFFIX, "--to", "999")
    assert (ran.code, "There is no revision 999" in ran.err) == (64, True)
    table = user.well("releases", "--suffix", SUFFIX).out.splitlines()
    assert table[0].split() == ["revision", "image", "when", "by", "result"]
    assert table[1].startswith(f"*  {numbers['good:3']} ")


def test_a_restart_brings_new_tasks_of_the_same_revision(live_stack: LiveStack) -> None:
    user, before = live_stack.desk, live_stack.service
    arns = live_stack.aws("ecs").list_tasks(cluster=before["clusterArn"])["taskArns"]

    user.well("restart", "--yes", "--suffix", SUFFIX)

    after = live_stack.service
    assert after["taskDefinition"] == before["taskDefinition"]
    assert not set(arns) & set(live_stack.aws("ecs").list_tasks(cluster=before["clusterArn"])["taskArns"])
    assert user.plan(SUFFIX) == "No changes.\n"


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
    live_stack: LiveStack, more: tuple[str, ...], words: str, code: int
) -> None:
    mark = live_stack.desk.mark()

    ran = deploy(live_stack, "other:1", *more, code=code)

    assert words in ran.err
    assert live_stack.desk.tries(mark) == []


def test_a_stack_that_is_not_known_has_nothing_to_deploy_to(live_stack: LiveStack) -> None:
    ran = live_stack.desk.run("deploy", "--yes", "--suffix", "nobody", "--image", IMAGE)

    assert ran.code == 6


@pytest.mark.slow
def test_a_teardown_takes_every_revision_along(live_stack: LiveStack) -> None:
    assert revisions(live_stack) > 1

    live_stack.desk.teardown(SUFFIX)

    assert revisions(live_stack) == 0
    for status in ("ACTIVE", "INACTIVE"):
        assert live_stack.aws("ecs").list_task_definitions(status=status)["taskDefinitionArns"] == []
