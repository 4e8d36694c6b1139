"""Words that people type: aliases, exact hints, short options, `--output` and `--query`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest

from provisioner.commands.command_table import HELP
from provisioner.commands.main import cli
from provisioner.commands.typed_words import ALIASES
from provisioner.names import PROGRAM
from tests.support.commands import leaves
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import ROOT


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    command = [sys.executable, "cli.py", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_command(alias: str, name: str) -> None:
    context = click.Context(cli)

    assert name in HELP
    assert alias not in HELP
    assert cli.get_command(context, alias) is cli.commands[name]


def test_destroy_asks_as_teardown_does(live_stack: LiveStack) -> None:
    told = live_stack.desk.run("destroy", "--suffix", SUFFIX)

    assert told.code == live_stack.desk.run("teardown", "--suffix", SUFFIX).code != 0
    assert live_stack.desk.plan(SUFFIX) == "No changes.\n"


def test_a_word_that_nobody_knows_gets_no_guess() -> None:
    told = ran("frobnicate")

    assert told.returncode == 64
    assert f"`{PROGRAM} --help` lists the commands." in told.stderr
    assert "Did you mean" not in told.stderr


def test_help_and_version_are_commands_too() -> None:
    assert ran("help", "db", "tunnel").stdout == ran("db", "tunnel", "--help").stdout
    assert ran("help").stdout == ran("--help").stdout
    assert ran("help", "destroy").stdout.startswith("Usage: python cli.py destroy ")
    assert ran("version").stdout == ran("--version").stdout
    assert ran("help", "nothing").returncode == 64


def test_short_options_are_the_long_ones(live_stack: LiveStack) -> None:
    user = live_stack.desk

    assert user.well("plan", "-s", SUFFIX, "-r", "us-east-1").out == "No changes.\n"
    assert user.run("plan", f"-s{SUFFIX}", "-reu-west-1").code != 0
    hint = user.run("status", "-s", "nothing").err
    assert "--suffix nothing" in hint


def test_a_profile_is_chosen_as_by_the_variable() -> None:
    told = ran("plan", "-s", "prod", "--aws-profile", "nobody", AWS_CONFIG_FILE=os.devnull)

    assert told.returncode == 3
    assert "nobody" in told.stderr
    assert told.stderr.splitlines()[0] == ran("plan", "-s", "prod", AWS_PROFILE="nobody").stderr.splitlines()[0]


def test_output_json_is_json(live_stack: LiveStack) -> None:
    user = live_stack.desk

    assert user.well("outputs", "--output", "json").lines == user.well("outputs", "--json").lines
    assert user.well("outputs", "--output", "table").out == user.well("outputs").out
    (error,) = user.run("plan", "--suffix", "UPPER", "--output", "json").lines
    assert error["type"] == "error"


def test_a_query_prints_a_part_of_the_json(live_stack: LiveStack) -> None:
    user = live_stack.desk

    assert json.loads(user.well("status", "--query", "outputs.vpc_id").out) == live_stack.vpc
    assert json.loads(user.well("list", "--query", "stacks[].suffix").out) == [SUFFIX]
    assert json.loads(user.well("plan", "-s", SUFFIX, "--query", "summary.add").out) == 0
    assert json.loads(user.well("status", "--query", "nothing.of.this").out) is None


def test_a_wrong_query_is_refused_before_any_call(live_stack: LiveStack) -> None:
    mark = live_stack.desk.mark()

    told = live_stack.desk.run("status", "--query", "outputs[")

    assert (told.code, "is no JMESPath expression" in told.err) == (64, True)
    assert live_stack.desk.mark() == mark


def test_a_query_that_does_not_fit_is_said_and_ends_no_run(live_stack: LiveStack) -> None:
    user = live_stack.desk

    told = user.run("apply", "--yes", "-s", SUFFIX, "--query", "length(format_version)")
    unknown = user.run("list", "--query", "nofunc(@)")

    assert (told.code, told.err.count("--query does not fit this output")) == (1, 1)
    assert "Apply complete: 0 added" in told.err
    assert (unknown.code, "is no JMESPath expression" in unknown.err) == (64, True)
    assert user.run("list").code == 0


def test_every_command_takes_output_and_query_but_those_that_print_help_and_a_script() -> None:
    lacking = {
        name
        for name, command in leaves(cli).items()
        if not {"--output", "--query"} <= {name for param in command.params for name in param.opts}
    }

    assert lacking == {"help", "completion"}
