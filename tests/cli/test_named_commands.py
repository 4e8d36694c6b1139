"""Every command of ours that a message names can be typed: it is there, and takes the options named."""

from __future__ import annotations

import ast
import contextlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from provisioner.commands.main import cli
from provisioner.names import PROGRAM
from tests.support.user import ROOT

_QUOTED = re.compile(r"`([^`\n]+)`")
# What is filled in when the message is made.
_OPEN = "1"
# What may follow the last word of a command, as further options.
_TAIL = re.compile(rf"(?<=[a-z]){_OPEN}")


def _joined(part: ast.expr) -> str:
    """A text, with the values that it takes later stood for; a command that a call makes as it will be."""
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_joined(one) for one in values)
        case ast.FormattedValue(value=ast.Call() as made):
            return _made(made)
        case ast.FormattedValue(value=ast.Name(id="PROGRAM")):
            return PROGRAM
        case _:
            return _OPEN


def _made(call: ast.Call) -> str:
    """What `workspace.command("apply", suffix)` or `again(session, "apply")` makes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    said = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return f"{PROGRAM} {said[0]} --suffix {_OPEN}" if name in ("command", "again") and said else _OPEN


def _texts(tree: ast.AST, where: str) -> Iterator[str]:
    """Each text of a module, its docstrings left out, and each command that a call makes or doctor tells."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    # Click's own `@group.command("name")`.
    told |= {id(one) for node in ast.walk(tree) for one in getattr(node, "decorator_list", ())}
    for node in ast.walk(tree):
        if isinstance(node, (ast.JoinedStr, ast.Constant)) and id(node) not in told:
            yield _joined(node)
        if isinstance(node, ast.Call) and id(node) not in told and (made := _made(node)) != _OPEN:
            yield f"`{made}`"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and "doctor" in where:
            yield f"`{''.join(map(_joined, node.args[3:4]))}`"


@cache
def named() -> dict[str, str]:
    """Each command in backticks, and a module that names it."""
    found: dict[str, str] = {}
    for folder in ("provisioner", "state"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in _texts(ast.parse(path.read_text(encoding="utf-8")), str(path)):
                for quoted in _QUOTED.findall(_TAIL.sub("", text)):
                    found.setdefault(quoted, str(path.relative_to(ROOT)))
    return found


def _of_ours(quoted: str) -> list[str]:
    """The words of a command of ours, without the program's name; none where it is something else."""
    begins = quoted.startswith(f"{PROGRAM} ")
    rest = quoted.removeprefix(PROGRAM).strip()
    known = rest.partition(" ")[0] in cli.commands
    assert known or not begins, quoted
    return shlex.split(rest) if known else []


def parsed(group: click.Group, words: list[str], folder: Path) -> None:
    """Let click read it, to the last subcommand, and carry nothing out."""
    command = group.commands[words[0]]
    if isinstance(command, click.Group):
        assert len(words) > 1, f"{words[0]} alone is no command"
        parsed(command, words[1:], folder)
        return
    file = folder / "file"
    file.touch()
    rest = [str(file) if word in ("FILE", "PLAN_FILE") else word for word in words[1:]]
    # What is told of in a sentence may leave out what it must be given, and an option's value.
    with contextlib.suppress(click.MissingParameter, click.BadOptionUsage):
        command.make_context(words[0], rest).close()


COMMANDS = [quoted for quoted in named() if _of_ours(quoted)]


@pytest.mark.parametrize("quoted", COMMANDS)
def test_a_command_that_a_message_names_can_be_typed(quoted: str, tmp_path: Path) -> None:
    parsed(cli, _of_ours(quoted), tmp_path)


def _options(command: click.Command) -> Iterator[str]:
    for param in command.params:
        yield from (*param.opts, *param.secondary_opts)
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _options(one)


def test_an_option_that_a_message_names_is_one_of_some_command() -> None:
    known = {*_options(cli), "--help", "--version", "--action"}  # the last is of `aws ecs`
    told = {quoted.split()[0].partition("=")[0]: path for quoted, path in named().items() if quoted[:2] == "--"}

    assert {option: path for option, path in told.items() if option not in known} == {}
    assert {"--suffix", "--again", "--lock-timeout"} <= told.keys()


def test_commands_of_many_messages_are_found() -> None:
    assert len(COMMANDS) > 40
    assert f"{PROGRAM} state history --suffix {_OPEN}" in COMMANDS
