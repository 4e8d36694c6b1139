"""Every command that README, documents and help print parses as it stands, and runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from provisioner.commands.command_table import EXAMPLES
from provisioner.commands.main import cli
from provisioner.emulator.wire import ACCOUNT
from provisioner.names import PROGRAM
from tests.support.user import ROOT, User

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# `NAME=value` before a command is of its environment; what stands for something is no part of one.
_LINE = re.compile(r"^\$ ((?:[A-Z_]+=\S+ )*)(?:python cli\.py|ml-api) (.*?)(?:  +#.*)?$", re.MULTILINE)
_INLINE = re.compile(r"`(?:python cli\.py|ml-api) ([^`]+)`")
_OPEN = re.compile(r"\bNAME\b|\bFILE\b|\.\.\.|<|\[|\||S\b(?= \[)")


def shown(page: Path) -> Iterator[str]:
    """The commands of a page, in their order, without the program's name."""
    for found in re.finditer(f"{_LINE.pattern}|{_INLINE.pattern}", page.read_text(), re.MULTILINE):
        command = (found[2] or found[3]).replace(" ... ", " ")
        if not _OPEN.search(command):
            yield command


EXAMPLES_OF_HELP = [example for examples in EXAMPLES.values() for example in examples]
COMMANDS = dict.fromkeys([*(one for page in PAGES for one in shown(page)), *EXAMPLES_OF_HELP])


def parsed(group: click.Group, words: list[str]) -> None:
    """Let click read a command line, to the last subcommand, and carry nothing out."""
    with group.make_context(PROGRAM, words, resilient_parsing=False) as context:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None, name
        if isinstance(command, click.Group):
            parsed(command, rest)
        else:
            command.make_context(name, rest, parent=context).close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_shown_is_one_that_can_be_typed(command: str, tmp_path: Path) -> None:
    parsed(cli, shlex.split(command))


def test_commands_are_found_in_every_page_that_shows_some() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_command_are_at_the_end_of_its_help(name: str) -> None:
    command = cli.commands[name]

    told = command.get_help(click.Context(command, info_name=name))

    assert all(example.startswith(name) for example in EXAMPLES[name])
    assert told.split("Examples:\n")[1].split("\n") == [f"    {PROGRAM} {example}" for example in EXAMPLES[name]]


# What a command of the README needs that nobody can bring about in a test, or ends with by its own words.
_NOT_RUN = ("state init", "bootstrap", "db tunnel", "local stop")
_ENDS = {"drift": (0, 2), "doctor": (0, 1), "plan": (0, 5), "apply": (0, 5), "deploy": (0, 10)}


@pytest.mark.slow
def test_the_commands_of_the_readme_run_one_after_the_other(user: User, tmp_path: Path) -> None:
    user.environment |= {"MLAPI_LOCAL": "1", "MLAPI_LOGS__DAYS": "60"}
    for suffix in ("prod", "demo"):
        user.well("apply", "--yes", "--suffix", suffix)
    for command in shown(ROOT / "README.md"):
        if command.startswith(_NOT_RUN):
            continue
        words = shlex.split(command.replace("111122223333", ACCOUNT).replace("--region eu-west-1", ""))
        asks = words[0] in ("apply", "teardown", "bootstrap") and "--yes" not in words
        ran = user.run(*words[:1], *(["--yes"] if asks else []), *words[1:], local=False)
        assert ran.code in _ENDS.get(words[0], (0,)), f"{command}\n{ran.out}\n{ran.err}"
        if words[0] == "teardown":
            user.well("apply", "--yes", "--suffix", "demo")
