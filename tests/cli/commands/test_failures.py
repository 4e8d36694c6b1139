"""Every verb where it cannot be done: its exit code, one explanation, what to type next, and no change."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands.table import ROWS, Row, typed
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import CommandResult, User

Way = Callable[..., CommandResult]
# In this process every day, and as the process that a user starts with `make slow`.
WAYS = [
    pytest.param(Row.run, id="here"),
    pytest.param(Row.process, id="process", marks=pytest.mark.slow),
]
# What can be typed next: a command, a flag, or a variable that is to be set.
NEXT = re.compile(r"`[^`]+`|--\w+|Set AWS_")
STRANGE = [name for name, row in ROWS.items() if row.strange is not None]
NAMELESS = [name for name, row in ROWS.items() if row.nameless is not None]
ASKS = [name for name, row in ROWS.items() if row.asks]
CALLS = [name for name, row in ROWS.items() if row.call]
# A tag on the service says whose the choice is, before anything is chosen.
SOFT = {"ecs:TagResource"}
# These say nothing of their own, or do not go well on a stack as it stands here.
MUTE = ("exec", "db tunnel", "teardown", "verify-gone", "rotate-origin-secret", "state push", "state restore")
TALKS = [name for name, row in ROWS.items() if row.of_a_stack and name not in ("logs", *MUTE)]


def explained(ran: CommandResult, code: int) -> None:
    """One error with what to type next, and nothing of a program's insides."""
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    error = ran.err[ran.err.index("Error: ") :]
    assert error.count("Error: ") == 1
    assert NEXT.search(error), error


def test_each_verb_has_a_row() -> None:
    assert set(typed()) == set(ROWS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", STRANGE)
def test_a_suffix_that_nobody_knows(ready: User, name: str, way: Way) -> None:
    row, mark = ROWS[name], ready.mark()

    ran = way(row, ready, "nobody")

    explained(ran, row.strange or 0)
    assert "nobody" in ran.err
    assert ran.out == ""
    assert ready.tries(mark) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMELESS)
def test_no_stack_is_known_and_none_is_named(ready: User, name: str, way: Way, tmp_path: Path) -> None:
    row, mark = ROWS[name], ready.mark()

    ran = way(row, ready.elsewhere(tmp_path / "home"), "")

    explained(ran, row.nameless or 0)
    assert ran.out == ""
    assert ready.mark() == mark


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ASKS)
def test_there_is_no_terminal_to_ask_at(ready: User, name: str, way: Way) -> None:
    row, mark = ROWS[name], ready.mark()

    ran = way(row, ready, "new" if row.strange is None else SUFFIX)

    explained(ran, 64)
    assert "--yes" in ran.err
    assert ready.tries(mark) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CALLS)
def test_credentials_expire(ready: User, name: str, way: Way) -> None:
    row, mark = ROWS[name], ready.mark()
    ready.box.faults({"operation": row.call, "fault": "expired", "times": 99})
    try:
        ran = way(row, ready, SUFFIX, *(["--yes"] if row.asks else []))
    finally:
        ready.box.faults()

    explained(ran, 3)
    assert "does not accept these credentials" in ran.err
    assert set(ready.acts(mark)) <= SOFT


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deploy", "rollback", "restart", "scale", "run"])
def test_with_new_credentials_the_same_command_goes_on(ready: User, name: str) -> None:
    row, fault = ROWS[name], {"operation": ROWS[name].call, "fault": "expired", "times": 2}
    flags = ["--env", f"AT={ready.mark()}"] if name == "deploy" else ["--max", "8"] if name == "scale" else []
    ready.box.faults(fault)
    try:
        assert row.process(ready, SUFFIX, "--yes", *flags).code == 3
    finally:
        ready.box.faults()
    mark = ready.mark()

    again = row.process(ready, SUFFIX, "--yes", *flags)

    assert again.code == 0, again.err
    service, operation = row.call.split(":")
    assert ready.acts(mark).count(f"{service}:{operation}") == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["exec", "db tunnel"])
def test_the_plugin_is_missing(ready: User, name: str, way: Way, tmp_path: Path) -> None:
    ran = way(ROWS[name], dataclasses.replace(ready, environment={"PATH": str(tmp_path)}))

    explained(ran, 1)
    assert "session-manager-plugin" in ran.err.splitlines()[0]
    assert "On AWS `session-manager-plugin` runs next" in ran.err


@pytest.mark.parametrize("name", ["logs", *(pytest.param(one, marks=pytest.mark.slow) for one in TALKS)])
def test_nobody_reads_on_after_the_first_line(ready: User, name: str) -> None:
    row = ROWS[name]
    with ready.spawn(*row.line(SUFFIX, *(["--yes"] if row.asks else []))) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(timeout=60)

    assert code == 0, told
    for word in ("Traceback", "BrokenPipe", "Errno", "Error: "):
        assert word not in told


@pytest.mark.parametrize(("fault", "times", "code"), [("throttle", 2, 0), ("lost_reply", 1, 0), ("expired", 9, 3)])
def test_the_first_call_is_made_again_where_time_cures_it(ready: User, fault: str, times: int, code: int) -> None:
    ready.box.faults({"operation": "sts:GetCallerIdentity", "fault": fault, "times": times})
    try:
        ran = ready.run("releases")
    finally:
        ready.box.faults()

    assert ran.code == code, ran.err


# Without a task: what is told, and what can be done all the same.
IDLE = {
    "exec": (5, "No task of ml-api-service-prod runs."),
    "db tunnel": (5, "No task of ml-api-service-prod runs."),
    "status": (1, ""),
    "doctor": (1, ""),
    "logs": (0, "--since looks further back"),
    "restart": (5, "there is nothing to replace"),
    "deploy": (1, "it is to run no task"),
    "rollback": (1, "it is to run no task"),
    "run": (0, "ended with exit code 0"),
}


@pytest.fixture(scope="module")
def idle(ready: User, live_stack: LiveStack) -> User:
    """Its tasks are stopped: what needs them comes last."""
    where = {"cluster": live_stack.service["clusterArn"], "service": live_stack.service["serviceName"]}
    live_stack.aws("ecs").update_service(**where, desiredCount=0)
    return ready


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", IDLE)
def test_no_task_runs(idle: User, live_stack: LiveStack, name: str, way: Way) -> None:
    row, (code, told) = ROWS[name], IDLE[name]
    other = "2" if live_stack.service["taskDefinition"].endswith(":1") else "1"
    again = {
        "deploy": ["--env", f"AT={idle.mark()}"],
        "logs": ["--task", "ffff"],
        "rollback": ["--to", other],
    }.get(name, [])

    ran = way(row, idle, SUFFIX, *(["--yes"] if row.asks else []), *again)

    assert ran.code == code, ran.err
    assert told in ran.err
    assert "Traceback" not in ran.err
    if code and row.typed not in ("status", "doctor"):
        explained(ran, code)
        assert f"doctor --suffix {SUFFIX} --local" in ran.err
