"""Whole processes that only look at a stack that stands."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from tests.standing import SUFFIX, Standing

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


@pytest.mark.parametrize("command", ["apply", "teardown"])
def test_without_a_terminal_and_without_yes_nothing_happens(standing: Standing, command: str) -> None:
    desk = standing.desk
    suffix = "new" if command == "apply" else SUFFIX
    mark = desk.mark()

    ran = desk.process(command, "--local", "--suffix", suffix)

    assert ran.code == 64
    assert "--yes" in ran.err
    assert desk.tries(mark) == []


def test_a_yes_to_a_teardown_needs_the_suffix_on_the_command_line(standing: Standing) -> None:
    desk = standing.desk
    mark = desk.mark()

    ran = desk.process("teardown", "--local", "--yes", ENVIRONMENT_SUFFIX=SUFFIX)

    assert ran.code == 64
    assert "--suffix" in ran.err
    assert desk.tries(mark) == []


def test_the_suffix_may_come_from_the_environment_or_be_the_only_one(standing: Standing) -> None:
    for environment in ({"ENVIRONMENT_SUFFIX": SUFFIX}, {}):
        ran = dataclasses.replace(standing.desk, environment=environment).run("outputs", "vpc_id")
        assert (ran.code, ran.out) == (0, f"{standing.vpc}\n")


def test_outputs_in_every_form(standing: Standing) -> None:
    def told(*form: str) -> str:
        return standing.desk.well("outputs", *form).out

    values = json.loads(told("--format", "json"))
    assert list(values) == OUTPUTS
    assert [tuple(line.split()) for line in told().splitlines()[1:]] == list(values.items())
    assert told("--format", "env").splitlines() == [f"{k.upper()}={v}" for k, v in values.items()]
    assert told("--format", "github").splitlines() == [f"{k}={v}" for k, v in values.items()]
    assert told("alb_dns_name") == f"{values['alb_dns_name']}\n"
    assert told("vpc_id", "--format", "github") == f"vpc_id={values['vpc_id']}\n"
    assert json.loads(told("vpc_id", "--json"))["outputs"] == {"vpc_id": values["vpc_id"]}


def test_a_reader_who_leaves_early_does_no_harm(standing: Standing) -> None:
    with standing.desk.spawn("status", "--local", "--suffix", SUFFIX, "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(timeout=60) == 0

    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_an_output_that_is_none_is_answered_with_those_there_are(standing: Standing) -> None:
    ran = standing.desk.run("outputs", "nonsense")

    assert ran.code == 64
    assert "alb_dns_name" in ran.err


def test_status_shows_every_resource_and_the_outputs(standing: Standing) -> None:
    ran = standing.desk.process("status", "--local")

    assert ran.code == 0, ran.err
    assert re.search(r"^service +Service +ready +COMPLETED ", ran.out, re.MULTILINE)
    assert re.search(rf"^vpc_id +{standing.vpc}$", ran.out, re.MULTILINE)
    assert len(ran.out.splitlines()) > 80


def test_list_shows_what_is_known_here(standing: Standing) -> None:
    ran = standing.desk.process("list")

    assert ran.code == 0
    assert ran.out.splitlines()[1].split()[:3] == [SUFFIX, "embedded", "us-east-1"]


def test_a_plan_tells_by_its_exit_code_when_asked(standing: Standing) -> None:
    desk = standing.desk

    assert desk.run("plan", "--suffix", SUFFIX, "--detailed-exitcode").code == 0
    assert desk.run("plan", "--suffix", "new", "--detailed-exitcode").code == 2
    assert desk.run("plan", "--suffix", "new").code == 0


@pytest.mark.parametrize(
    "arguments",
    [["plan", "--suffix", "new"], ["plan"], ["status"], ["outputs"], ["list"], ["apply", "--yes"]],
    ids=" ".join,
)
def test_json_lines_are_whole_and_versioned(standing: Standing, arguments: list[str]) -> None:
    desk = dataclasses.replace(standing.desk, environment={"ENVIRONMENT_SUFFIX": SUFFIX})

    ran = desk.run(*arguments, "--json")

    assert ran.code == 0, ran.err
    assert ran.lines
    for line in ran.lines:
        assert line["format_version"] == 1
        assert line["type"]


def test_quiet_leaves_only_the_answer(standing: Standing) -> None:
    ran = standing.desk.run("plan", "--quiet", "--suffix", SUFFIX)

    assert (ran.out, ran.err) == ("No changes.\n", "")


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--no-color"], {"FORCE_COLOR": "1"}, False),
    ],
    ids=["a pipe", "forced", "NO_COLOR", "--no-color"],
)
def test_colours_are_for_those_who_want_them(
    standing: Standing, arguments: list[str], environment: dict[str, str], colored: bool
) -> None:
    ran = standing.desk.process("plan", "--local", "--suffix", "new", *arguments, **environment)

    assert ran.code == 0, ran.err
    assert bool(COLOR.search(ran.out + ran.err)) is colored
