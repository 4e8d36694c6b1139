"""Whole processes, as a user starts them: what is printed where, and the exit code."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.support.user import User

COLOR = re.compile(r"\x1b\[\d*(;\d+)*m")
OUTPUTS = [
    "alb_dns_name",
    "cloudfront_domain_name",
    "cloudfront_distribution_url",
    "rds_cluster_endpoint",
    "dynamodb_table_name",
    "ecs_cluster_name",
    "ecs_service_name",
    "vpc_id",
]


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["apply", "--frobnicate"],
        ["apply", "--suffix"],
        ["outputs", "--format", "xml"],
        ["apply", "--suffix", "a", "--lock-timeout", "soon"],
        ["local", "start", "--speed", "2"],
        ["apply"],
        ["plan"],
        ["apply", "--suffix", "Not_Good"],
        ["plan", "--suffix", "a", "--set", "network.zone=3"],
        ["plan", "--suffix", "a", "--set", "network.zones=99"],
        ["plan", "--suffix", "a", "--config", "no-such-file.toml"],
        ["teardown", "--yes"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_64_and_one_explanation(user: User, arguments: list[str]) -> None:
    ran = user.run(*arguments, local=False)

    assert ran.code == 64
    assert ran.out == ""
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", [["apply", "--frobnicate"], ["plan"]], ids=" ".join)
def test_so_does_the_process(user: User, arguments: list[str]) -> None:
    ran = user.process(*arguments)

    assert (ran.code, ran.out) == (64, "")
    assert "Error: " in ran.err


def test_help_and_version_end_well(user: User) -> None:
    shown = user.process("--help")

    assert shown.code == 0
    for command in ("apply", "plan", "status", "outputs", "teardown", "list", "local"):
        assert re.search(rf"^  {command} ", shown.out, re.MULTILINE)
    assert user.process("--version").out.startswith("ml-api")


def test_without_credentials_one_sentence_says_what_to_set_and_that_local_needs_none(user: User) -> None:
    ran = user.process("apply", "--yes", "--suffix", "a")

    assert ran.code == 3
    assert ran.out == ""
    for word in ("There is no profile yet", "aws configure", "AWS_ACCESS_KEY_ID", "--local"):
        assert word in ran.err
    assert len(ran.err.splitlines()) <= 3
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_PROFILE": "no-such-profile"},
        {"AWS_ACCESS_KEY_ID": "AKIAHALF"},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    ],
    ids=str,
)
def test_credentials_that_cannot_be_used_are_told_in_one_sentence(user: User, environment: dict[str, str]) -> None:
    ran = user.process("plan", "--suffix", "a", **environment)

    assert ran.code == 3, ran.err
    assert "--local" in ran.err
    assert "Traceback" not in ran.err


def test_an_endpoint_that_nobody_serves_is_told_in_one_sentence(user: User) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"}

    ran = user.process("plan", "--suffix", "a", AWS_ENDPOINT_URL="http://127.0.0.1:1", **keys)

    assert ran.code == 1
    assert "cannot be reached" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["status", "outputs"])
def test_a_stack_nobody_knows_here_ends_with_6_and_says_how_to_find_it(user: User, command: str) -> None:
    ran = user.run(command, "--suffix", "nobody")

    assert ran.code == 6
    assert "plan --suffix nobody" in ran.err


@pytest.mark.parametrize("command", ["status", "outputs", "teardown"])
def test_with_no_stack_at_all_there_is_none_to_choose(user: User, command: str) -> None:
    assert user.run(command).code == 6


def test_apply_prints_the_plan_then_the_outputs_and_its_progress_on_stderr(user: User) -> None:
    ran = user.process("apply", "--local", "--yes", "--suffix", "a")

    assert ran.code == 0, ran.err
    assert re.search(
        r"^Plan: \d+ to add, 0 to change, 0 to destroy, and 4 of the account's own roles\.$",
        ran.out,
        re.MULTILINE,
    )
    assert [line.split()[0] for line in ran.out.splitlines()[-8:]] == OUTPUTS
    assert re.search(r"^vpc: ready after [\d.]+ s", ran.err, re.MULTILINE)
    assert "ready after" not in ran.out
    assert not COLOR.search(ran.out + ran.err)

    gone = user.process("teardown", "--local", "--yes", "--suffix", "a")
    assert gone.code == 0, gone.err
    assert gone.out.startswith("The stack a is gone")


@pytest.mark.slow
def test_an_apply_and_a_teardown_in_json_tell_each_step(user: User) -> None:
    ran = user.run("apply", "--yes", "--json", "--suffix", "a")
    assert [line["type"] for line in ran.lines if line["type"] != "event"] == ["plan", "outputs"]
    ready = [line["node"] for line in ran.lines if line.get("what") == "ready"]
    assert sorted(ready) == sorted({change["node"] for change in ran.lines[0]["changes"]})

    gone = user.run("teardown", "--yes", "--json", "--suffix", "a")
    assert gone.lines[-1]["type"] == "teardown"
    assert gone.lines[-1]["remaining"] == []


@pytest.mark.slow
def test_a_state_file_of_ones_own_is_where_it_was_asked_for(user: User, tmp_path: Path) -> None:
    state = tmp_path / "deep" / "mine.json"
    user.environment["MLAPI_STATE"] = str(state)

    user.apply("a")

    assert json.loads(state.read_text())["suffix"] == "a"
    assert not user.ledger("a").exists()
    ran = user.run("plan", "--suffix", "b")
    assert ran.code == 1
    assert "is the state of the stack a" in ran.err
    user.teardown("a")
    assert not state.exists()


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"schema": 99}'])
def test_a_ledger_that_cannot_be_read_is_an_explained_error(user: User, content: str) -> None:
    user.ledger("a").write_text(content)

    for command in (["plan"], ["apply", "--yes"], ["status"], ["teardown", "--yes"]):
        ran = user.run(*command, "--suffix", "a")
        assert ran.code == 1
        assert str(user.ledger("a")) in ran.err
        assert "Traceback" not in ran.err


def test_without_a_home_of_its_own_the_ledger_is_below_the_working_directory(user: User) -> None:
    ran = user.process("list", MLAPI_HOME="")

    assert ran.code == 0
    assert ran.out.split() == ["suffix", "account", "region", "resources"]
    assert not os.listdir()
