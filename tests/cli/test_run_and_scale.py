"""`run` and `scale`: a task by itself, and how many there are of those that serve."""

from __future__ import annotations

import json
import os
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.commands import followed_task, pending_command
from provisioner.commands import one_off_task as running
from provisioner.commands.pending_command import OneTimeCommand
from provisioner.engine.execution.resource_calls import call_with_retry
from provisioner.engine.types.resource_type import ResourceType
from provisioner.resources.autoscaling import ScalableTarget
from provisioner.resources.ecs import standalone_tasks
from provisioner.resources.ecs.service import Service
from provisioner.resources.ecs.standalone_tasks import start_task
from tests.support.live_stack import SUFFIX, LiveStack, tags
from tests.support.user import CommandResult

pytestmark = pytest.mark.slow
CLUSTER = f"ml-api-cluster-{SUFFIX}"
BOUNDS = ("MinCapacity", "MaxCapacity")


def run(live_stack: LiveStack, *command: str, flags: tuple[str, ...] = ()) -> CommandResult:
    """One `run`; the harness puts `--local` where a flag may stand."""
    return live_stack.desk.run("run", "--local", "--yes", "--suffix", SUFFIX, *flags, "--", *command, local=False)


def tasks(live_stack: LiveStack, status: str = "STOPPED") -> list[dict[str, Any]]:
    """The tasks that `run` started."""
    ecs = live_stack.aws("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, startedBy="ml-api-run", desiredStatus=status)["taskArns"]
    return list(ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]) if arns else []


def bounds(live_stack: LiveStack) -> tuple[int, ...]:
    """Between how many tasks the service is scaled, as AWS says."""
    scaling = live_stack.aws("application-autoscaling")
    (one,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return tuple(one[key] for key in BOUNDS)


def test_a_task_by_itself_runs_as_the_services_tasks_do(live_stack: LiveStack) -> None:
    ran = run(live_stack, "migrate", "--to", "EXIT=3")

    assert ran.code == 3, ran.err
    assert ran.out.splitlines()[1:] == ["running migrate --to EXIT=3", "ending with exit code 3"]
    (task,) = tasks(live_stack)
    assert task["taskDefinitionArn"] == live_stack.service["taskDefinition"]
    assert task["capacityProviderName"] == "FARGATE"
    subnets = live_stack.service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    placed = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
    assert placed["subnetId"] in subnets
    record = json.loads(max((live_stack.desk.home / "embedded" / "runs" / SUFFIX).iterdir()).read_text())
    assert (record["command"], record["result"], record["exit_code"]) == ("run", "failed", 3)
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_on_spot_and_as_json(live_stack: LiveStack) -> None:
    ran = run(live_stack, "true", flags=("--spot", "--json"))

    assert [one["type"] for one in ran.lines] == ["line", "line", "line", "ended"]
    assert ran.lines[-1]["exit_code"] == 0
    assert "FARGATE_SPOT" in {one["capacityProviderName"] for one in tasks(live_stack)}


def test_a_lost_reply_starts_no_second_task(live_stack: LiveStack) -> None:
    before = len(tasks(live_stack))
    live_stack.desk.box.faults({"operation": "ecs:RunTask", "fault": "lost_reply"})

    assert run(live_stack, "once").code == 0

    assert len(tasks(live_stack)) == before + 1


def test_a_run_that_was_cut_off_is_gone_on_with(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when AWS had the call and its reply was not read yet."""
    live_stack.desk.slow(0.02)
    before = len(tasks(live_stack))
    really = call_with_retry

    def killed(*given: Any) -> Any:
        really(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(standalone_tasks, "call_with_retry", killed)
    assert run(live_stack, "twice").code == 130
    monkeypatch.undo()

    ran = run(live_stack, "twice")

    assert ran.code == 0, ran.err
    assert "runs this very command already" in ran.err
    assert ran.out.splitlines()[-1] == "ending with exit code 0"
    live_stack.desk.slow(0.0)
    assert len(tasks(live_stack)) == before + 1


def test_the_first_signal_asks_the_task_to_end(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    live_stack.desk.slow(0.03)
    looks: list[str] = []

    def look(clients: Any, cluster: str, alone: Any) -> Any:
        if not looks:
            os.kill(os.getpid(), signal.SIGINT)
        looks.append(alone.id)
        return standalone_tasks.read_task(clients, cluster, alone)

    monkeypatch.setattr(followed_task, "read_task", look)

    ran = run(live_stack, "sleep", "3600")

    live_stack.desk.slow(0.0)
    assert (ran.code, "Asking task" in ran.err) == (130, True)
    assert "Another signal stops waiting for it: the same command then shows how it ended." in ran.err
    assert f"Task {looks[0]} ended without an exit code: stopped by who ran it." in ran.err
    (stopped,) = (one for one in tasks(live_stack) if one["taskArn"].endswith(looks[0]))
    assert stopped["stopCode"] == "UserInitiated"


def test_a_signal_while_the_task_starts_asks_it_to_end_too(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_stack.desk.slow(0.03)
    really, begun = start_task, []

    def begin(*given: Any) -> Any:
        begun.append(really(*given))
        os.kill(os.getpid(), signal.SIGTERM)
        return begun[-1]

    monkeypatch.setattr(running, "start_task", begin)

    ran = run(live_stack, "sleep", "7200")

    live_stack.desk.slow(0.0)
    assert (ran.code, "Asking task" in ran.err) == (143, True)
    assert f"Task {begun[0].id} ended " in ran.err
    (stopped,) = (one for one in tasks(live_stack) if one["taskArn"] == begun[0].arn)
    assert stopped["stopCode"] == "UserInitiated"


def test_a_task_that_cannot_start_says_why(live_stack: LiveStack) -> None:
    live_stack.aws("logs").delete_log_group(logGroupName=f"/aws/ecs/ml-api-{SUFFIX}")

    ran = run(live_stack, "true")

    assert (ran.code, "The task did not run" in ran.err) == (1, True)
    assert "log group does not exist" in ran.err
    live_stack.desk.apply(SUFFIX)


def test_bounds_that_were_scaled_stay_until_they_are_taken_back(live_stack: LiveStack) -> None:
    user, before = live_stack.desk, bounds(live_stack)

    ran = user.well("scale", "--yes", "--suffix", SUFFIX, "--min", "3", "--max", "6")

    assert ran.out == "api is scaled between 3 and 6 tasks.\n"
    assert (bounds(live_stack), live_stack.service["desiredCount"]) == ((3, 6), 3)
    assert tags(live_stack.service["tags"])["ml-api:count-owner"] == "scale"
    assert user.plan(SUFFIX) == "No changes.\n"
    (drift,) = user.well("drift", "--suffix", SUFFIX, "--json").lines
    held = {field["path"]: field["owner"] for one in drift["drift"] for field in one["fields"]}
    assert held.items() >= {("minimum", "scale"), ("maximum", "scale")}

    user.apply(SUFFIX)
    assert bounds(live_stack) == (3, 6)
    user.apply(SUFFIX, "--set", "service.maximum=20")
    assert bounds(live_stack) == (3, 6)
    user.well("apply", "--yes", "--suffix", SUFFIX, "--take", "counts")
    assert bounds(live_stack) == before
    assert "ml-api:count-owner" not in tags(live_stack.service["tags"])
    assert user.plan(SUFFIX) == "No changes.\n"


@pytest.mark.parametrize(("kind", "verb"), [(Service, "retag"), (ScalableTarget, "update")])
def test_a_scale_that_was_killed_when_aws_had_the_call_is_gone_on_with(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, kind: type[ResourceType], verb: str
) -> None:
    typed = ("scale", "--yes", "--suffix", SUFFIX, "--max", "8")
    really = getattr(kind, verb)

    def killed(*given: Any) -> None:
        really(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, verb, killed)
    assert live_stack.desk.run(*typed).code == 130
    monkeypatch.undo()

    live_stack.desk.well(*typed)

    assert bounds(live_stack)[1] == 8
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"
    live_stack.desk.well("apply", "--yes", "--suffix", SUFFIX, "--take", "counts")


@pytest.mark.parametrize(
    ("bounds", "words"),
    [((), "Between how many"), (("--min", "9", "--max", "2"), "lower than"), (("--min", "-1"), "range")],
)
def test_bounds_that_cannot_be_are_refused(live_stack: LiveStack, bounds: tuple[str, ...], words: str) -> None:
    ran = live_stack.desk.run("scale", "--yes", "--suffix", SUFFIX, *bounds)

    assert (ran.code, words in ran.err) == (64, True)


def cut(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch, word: str) -> int:
    """Kill a run when AWS had the call, and let its task end; how many tasks there are then."""
    live_stack.desk.slow(0.02)
    really = call_with_retry

    def killed(*given: Any) -> Any:
        really(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(standalone_tasks, "call_with_retry", killed)
    assert run(live_stack, word).code == 130
    monkeypatch.undo()
    while tasks(live_stack, "RUNNING"):
        time.sleep(0.05)
    live_stack.desk.slow(0.0)
    return len(tasks(live_stack))


def test_a_run_that_was_cut_off_and_has_ended_is_told_and_not_run_again(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cut(live_stack, monkeypatch, "EXIT=5")

    ran = run(live_stack, "EXIT=5")

    assert ran.code == 5, ran.err
    assert "ran this very command, begun at 20" in ran.err
    assert "--again" in ran.err
    assert ran.out.splitlines()[-1] == "ending with exit code 5"
    assert len(tasks(live_stack)) == before
    # It was told: the same command is a new one from then on.
    assert run(live_stack, "EXIT=5").code == 5
    assert len(tasks(live_stack)) == before + 1


def test_one_that_was_cut_off_while_it_was_followed_is_told_too(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(followed_task, "read_task", look)
    assert run(live_stack, "EXIT=6").code == 130
    monkeypatch.undo()
    while tasks(live_stack, "RUNNING"):
        time.sleep(0.05)
    before = len(tasks(live_stack))
    live_stack.desk.well("restart", "--yes", "--suffix", SUFFIX, "--no-smoke")  # what is kept of it outlives others

    ran = run(live_stack, "EXIT=6")

    assert (ran.code, len(tasks(live_stack))) == (6, before), ran.err
    assert "ran this very command" in ran.err


def test_anew_it_runs_where_a_person_says_so(live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cut(live_stack, monkeypatch, "again")

    assert run(live_stack, "again", flags=("--again",)).code == 0

    assert len(tasks(live_stack)) == before + 1
    assert "begun" not in live_stack.desk.known(SUFFIX)


def test_where_aws_has_forgotten_the_task_nobody_knows_and_none_is_started(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cut(live_stack, monkeypatch, "forgotten")
    path, known = live_stack.desk.ledger(SUFFIX), live_stack.desk.known(SUFFIX)
    (key,) = known["begun"]
    known["begun"][key]["at"] += 7200  # no task is as young; then as one that is an hour old
    path.write_text(json.dumps(known))
    monkeypatch.setattr(pending_command, "DESCRIBED_FOR_SECONDS", -1e9)

    ran = run(live_stack, "forgotten")

    assert ran.code == 5, ran.err
    assert "It is not known whether it ran" in ran.err
    assert "--again" in ran.err
    assert len(tasks(live_stack)) == before
    assert run(live_stack, "forgotten", flags=("--again",)).code == 0


def test_one_that_was_killed_before_its_call_is_run_by_the_same_command(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    before = len(tasks(live_stack))
    monkeypatch.setattr(standalone_tasks, "call_with_retry", killed)
    assert run(live_stack, "never").code == 130
    monkeypatch.undo()

    assert run(live_stack, "never").code == 0
    assert len(tasks(live_stack)) == before + 1


def test_an_end_that_was_told_while_another_run_held_the_stack_is_known(
    live_stack: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneTimeCommand, "forget_pending_command", lambda *_: None)
    assert run(live_stack, "held").code == 0
    monkeypatch.undo()
    before = len(tasks(live_stack))

    assert run(live_stack, "held").code == 0

    assert len(tasks(live_stack)) == before + 1


def test_what_the_state_keeps_of_a_cut_off_command_is_salted() -> None:
    """A word may be a secret that can be guessed: the same command in two states is told by two texts."""

    def key(salt: str) -> str:
        session = SimpleNamespace(state=SimpleNamespace(salt=salt))
        one: Any = SimpleNamespace(logical_id="service", session=session)
        command = standalone_tasks.Command(("tool", "-p", "hunter2"), environment={"TOKEN": "hunter2"})
        unused: Any = None
        return OneTimeCommand(unused, one, unused, command).key

    assert key("a" * 32) == key("a" * 32) != key("b" * 32)
    assert "hunter2" not in key("a" * 32)
