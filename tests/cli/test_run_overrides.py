"""`run` with variables, a size, an image of its own, or detached: what the task gets, and what is left of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioner.resources.ecs.run_revisions import run_family
from provisioner.settings.container import FARGATE_MEMORY, nearest_sizes
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult

CLUSTER = f"ml-api-cluster-{SUFFIX}"
FAMILY = f"ml-api-run-taskdef-{SUFFIX}"
CANARY = "hunter2-of-a-variable"
OTHER = "public.ecr.aws/acme/other:7"


def line(*command: str, flags: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A `run` as it is typed."""
    return ("run", "--local", "--yes", "--suffix", SUFFIX, *flags, "--", *command)


def run(live_stack: LiveStack, *command: str, flags: tuple[str, ...] = ()) -> CommandResult:
    """One `run` in this process."""
    return live_stack.desk.run(*line(*command, flags=flags), local=False)


def tasks(live_stack: LiveStack, *words: str, status: str = "STOPPED") -> list[dict[str, Any]]:
    """The tasks that run or ran this command."""
    ecs = live_stack.aws("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, startedBy="ml-api-run", desiredStatus=status)["taskArns"]
    described = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    return [one for one in described if one["overrides"]["containerOverrides"][0]["command"] == list(words)]


def revisions(stack: LiveStack) -> list[str]:
    """The revisions that `run --image` has left."""
    ecs = stack.aws("ecs")
    listed = (ecs.list_task_definitions(familyPrefix=FAMILY, status=one) for one in ("ACTIVE", "INACTIVE"))
    return [arn for reply in listed for arn in reply["taskDefinitionArns"]]


def test_a_task_gets_variables_and_a_size_and_no_secret_is_kept(live_stack: LiveStack) -> None:
    flags = ("--env", f"TOKEN={CANARY}", "--env", "EXIT=4", "--cpu", "512", "--memory", "1024")
    ran = live_stack.desk.process(*line("score", flags=flags))

    assert ran.code == 4, ran.err
    (task,) = tasks(live_stack, "score")
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    (own,) = task["overrides"]["containerOverrides"]
    assert {one["name"]: one["value"] for one in own["environment"]} == {"TOKEN": CANARY, "EXIT": "4"}
    assert task["taskDefinitionArn"] == live_stack.service["taskDefinition"]
    assert ran.err.splitlines()[-1].startswith("Run complete: task ")
    assert " ended with exit code 4 in " in ran.err.splitlines()[-1]
    kept = "".join(path.read_text() for path in live_stack.desk.home.rglob("*") if path.is_file())
    assert CANARY not in kept + ran.out + ran.err
    assert "TOKEN=(not kept)" in kept
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_an_image_is_for_the_task_alone_and_leaves_no_revision(live_stack: LiveStack) -> None:
    before, mark = live_stack.service["taskDefinition"], live_stack.desk.mark()

    ran = live_stack.desk.process(*line("migrate", flags=("--image", OTHER)))

    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [f"starting {OTHER}", "running migrate", "ending with exit code 0"]
    (task,) = tasks(live_stack, "migrate")
    assert task["taskDefinitionArn"].rpartition("/")[2].startswith(f"{FAMILY}:")
    assert live_stack.desk.acts(mark) == [
        "ecs:RegisterTaskDefinition",
        "ecs:RunTask",
        "ecs:DeregisterTaskDefinition",
        "ecs:DeleteTaskDefinitions",
    ]
    assert revisions(live_stack) == []
    assert live_stack.service["taskDefinition"] == before
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
    (told,) = live_stack.desk.well("releases", "--suffix", SUFFIX, "--json").lines
    assert OTHER not in {one["image"] for one in told["releases"]}
    assert "begun" not in live_stack.desk.known(SUFFIX)


def killed(live_stack: LiveStack, operation: str, fault: str, *typed: str) -> None:
    """Kill a process at its call of AWS."""
    with live_stack.desk.spawn(*typed) as process:
        live_stack.desk.box.faults({"operation": operation, "fault": fault, "pid": process.pid})
        process.wait(60)
    live_stack.desk.box.faults()
    assert process.returncode == -9


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("ecs:RunTask", "kill_after"),
        pytest.param("ecs:RegisterTaskDefinition", "kill_after", marks=pytest.mark.slow),
        pytest.param("ecs:RunTask", "kill_before", marks=pytest.mark.slow),
        pytest.param("ecs:DeregisterTaskDefinition", "kill_before", marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_of_an_image_is_gone_on_with_and_its_revision_goes(
    live_stack: LiveStack, operation: str, fault: str
) -> None:
    words, flags = (operation, fault), ("--image", OTHER)
    killed(live_stack, operation, fault, *line(*words, flags=flags))
    assert len(revisions(live_stack)) == 1

    ran = run(live_stack, *words, flags=flags)

    assert ran.code == 0, ran.err
    assert len(tasks(live_stack, *words)) == 1
    # What no run of the same command deletes, the next run of an image does.
    assert run(live_stack, "next", flags=flags).code == 0
    assert revisions(live_stack) == []
    assert "begun" not in live_stack.desk.known(SUFFIX)


def test_detached_it_names_the_task_and_how_to_follow_and_stop_it(live_stack: LiveStack) -> None:
    ran = live_stack.desk.process(*line("train", flags=("--detach",)))

    assert ran.code == 0, ran.err
    id_ = ran.out.strip()
    assert f"logs --task {id_} --follow --suffix {SUFFIX} --local` shows what it writes." in ran.err
    assert "The same command without --detach follows it to its end; Ctrl-C there stops it." in ran.err
    assert ran.err.splitlines()[-1].startswith(f"Run complete: task {id_} was started in ")
    assert "begun" not in live_stack.desk.known(SUFFIX)
    (task,) = tasks(live_stack, "train") + tasks(live_stack, "train", status="RUNNING")
    assert task["taskArn"].endswith(id_)


def test_a_detached_task_is_not_started_twice_and_is_followed_without_the_flag(live_stack: LiveStack) -> None:
    live_stack.desk.slow(0.06)
    ran, again = (run(live_stack, "tune", flags=("--detach",)) for _ in range(2))
    followed = run(live_stack, "tune")
    live_stack.desk.slow(0.0)

    assert (again.code, again.out) == (0, ran.out)
    assert f"Run complete: task {ran.out.strip()} runs already in " in again.err
    assert (followed.code, followed.out.splitlines()[-1]) == (0, "ending with exit code 0")
    assert len(tasks(live_stack, "tune")) == 1


def test_detached_as_json_it_is_one_record(live_stack: LiveStack) -> None:
    ran = run(live_stack, "embed", flags=("--detach", "--json"))

    (told,) = ran.lines
    assert (told["type"], told["cluster"], told["arn"].rpartition("/")[2]) == ("started", CLUSTER, told["task"])


def test_the_same_words_with_other_variables_are_another_command(live_stack: LiveStack) -> None:
    live_stack.desk.slow(0.3)
    for flags in (("--env", "PART=1"), ("--env", "PART=2"), ("--memory", "3072"), ("--image", OTHER), ()):
        ran = run(live_stack, "part", flags=(*flags, "--detach"))
        assert "was started" in ran.err, ran.err
    ran = run(live_stack, "part", flags=("--env", "PART=2", "--detach"))
    live_stack.desk.slow(0.0)

    assert "runs this very command already" in ran.err
    assert len(tasks(live_stack, "part") + tasks(live_stack, "part", status="RUNNING")) == 5


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (
            ("--cpu", "1024", "--memory", "1000"),
            "1024 CPU units with 1000 MiB",
            "--cpu 1024 --memory 2048 or --cpu 512",
        ),
        (("--cpu", "300"), "300 CPU units", "Nearest: --cpu 256 --memory 512."),
        (("--memory", "3000"), "3000 MiB", "Nearest: --cpu 512 --memory 3072."),
        (("--cpu", "0"), "0 CPU units", "Nearest: --cpu 256 --memory 512."),
        (("--image", "Acme:1"), "is no image", "lower case"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_call(
    live_stack: LiveStack, flags: tuple[str, ...], message: str, hint: str
) -> None:
    before = len(live_stack.desk.box.calls())

    ran = run(live_stack, "x", flags=flags)

    assert (ran.code, message in ran.err, hint in ran.err) == (64, True, True), ran.err
    assert len(live_stack.desk.box.calls()) == before


def test_what_the_service_makes_impossible_is_refused_before_a_change(live_stack: LiveStack) -> None:
    secret = live_stack.task["containerDefinitions"][0]["secrets"][0]["name"]
    mark = live_stack.desk.mark()
    refused = {
        "Nearest: --cpu 1024 --memory 2048 or --cpu 256 --memory 512.": (("x",), ("--memory", "512")),
        f"{secret} is filled from a secret.": (("x",), ("--env", f"{secret}=x")),
        "ECS takes 8192 of both together.": (("x" * 9000,), ()),
    }

    for message, (words, flags) in refused.items():
        ran = run(live_stack, *words, flags=flags)
        assert (ran.code, message in ran.err) == (64, True), ran.err
    assert live_stack.desk.tries(mark) == []


def test_an_image_that_the_role_may_not_pull_is_refused(live_stack: LiveStack) -> None:
    ecr = live_stack.aws("ecr")
    ecr.create_repository(repositoryName="acme/tools")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}
    ecr.put_image(repositoryName="acme/tools", imageManifest=json.dumps(manifest), imageTag="1")
    mark = live_stack.desk.mark()

    ran = run(live_stack, "x", flags=("--image", "123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/tools:1"))

    assert (ran.code, "may not pull from the repository acme/tools" in ran.err) == (5, True), ran.err
    assert live_stack.desk.tries(mark) == []


def test_a_revision_that_cannot_be_deleted_stops_no_task(live_stack: LiveStack) -> None:
    live_stack.desk.box.faults({"operation": "ecs:DeregisterTaskDefinition", "fault": "access_denied", "times": 9})
    ran = run(live_stack, "on", flags=("--image", OTHER))
    live_stack.desk.box.faults()

    assert ran.code == 0, ran.err
    assert f"A revision of {FAMILY} that was registered for the task is left" in ran.err
    assert run(live_stack, "on", flags=("--image", OTHER)).code == 0
    assert revisions(live_stack) == []


def test_each_service_has_a_family_of_its_own_for_runs() -> None:
    families = {run_family(service, SUFFIX) for service in ("", "run", "worker")}

    assert len(families) == 3
    assert all(family.startswith("ml-api-") and family.endswith(f"-{SUFFIX}") for family in families)


@pytest.mark.parametrize("cpu", [None, -1, 256, 700, 10**6])
@pytest.mark.parametrize("memory", [None, -1, 512, 5000, 10**9])
def test_the_nearest_sizes_are_some_that_fargate_has(cpu: int | None, memory: int | None) -> None:
    found = nearest_sizes(cpu, memory)

    assert found
    assert all(mebibytes in FARGATE_MEMORY[units] for units, mebibytes in found)
