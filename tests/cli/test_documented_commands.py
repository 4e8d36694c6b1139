"""Every command that README, documents and help print parses as it stands, and runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from docs_site.screens import pages
from provisioner.commands.help_page import EXAMPLES
from provisioner.commands.main import cli
from provisioner.emulator.wire import ACCOUNT
from provisioner.names import PROGRAM
from tests.support.account_inventory import client
from tests.support.commands import leaves
from tests.support.user import ROOT, User

PAGES = [ROOT / "CONTRIBUTING.md", *pages()]
# `NAME=value` before a command is of its environment; what stands for something is no part of one.
_LINE = re.compile(r"^\$ ((?:[A-Z_]+=\S+ )*)(?:python cli\.py|ml-api) (.*?)(?:  +#.*)?$", re.MULTILINE)
_INLINE = re.compile(r"`(?:python cli\.py|ml-api) ([^`]+)`")
_OPEN = re.compile(r"\bNAME\b|\bFILE\b|\.\.\.|<|\[|\||S\b(?= \[)")


def shown(page: Path) -> Iterator[str]:
    """The commands of a page, in their order, without the program's name."""
    return commands_in(page.read_text())


def commands_in(text: str) -> Iterator[str]:
    """The commands of a text, in their order, without the program's name."""
    for found in re.finditer(f"{_LINE.pattern}|{_INLINE.pattern}", text, re.MULTILINE):
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
def test_a_command_that_is_shown_is_one_that_can_be_typed(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("policies.json", ".ml-api/prod.json", "prod.json"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()

    parsed(cli, shlex.split(command))


def test_commands_are_found_in_every_page_that_shows_some() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("name", leaves(cli))
def test_the_examples_of_a_command_are_at_the_end_of_its_help(name: str) -> None:
    told = CliRunner().invoke(cli, [*name.split(), "--help"]).output

    assert all(example.startswith(name) for example in EXAMPLES[name])
    shown_last = told.split("Examples:\n")[1].split("\n\n")[0].strip("\n").split("\n")
    assert shown_last == [f"  {PROGRAM} {example}" for example in EXAMPLES[name]]


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) == set(leaves(cli))


# What needs something that a test cannot bring about, or ends the local AWS of the commands after it.
_NOT_RUN = ("state init", "state push", "bootstrap", "exec", "db tunnel", "local start", "local stop", "open")
_EXIT_CODES = {"drift": (0, 2), "doctor": (0, 1), "plan": (0, 2, 5), "apply": (0, 5), "deploy": (0, 10)}
_ASKS = ("apply", "teardown", "deploy", "rollback", "scale", "restart", "run")
_SCREEN = re.compile(r"<!-- screen .*?```\n.*?```", re.DOTALL)
_SETTINGS = re.compile(r"```toml\n(# ml-api\.toml\n.*?)```", re.DOTALL)


def commands_to_run(page: Path) -> list[str]:
    """The commands of a page without those of its screens, which `tests/docs/test_site.py` runs."""
    text = _SCREEN.sub("", page.read_text())
    return [one for one in commands_in(text) if not one.startswith(_NOT_RUN)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in pages() if commands_to_run(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, user: User, tmp_path: Path) -> None:
    """On stacks `prod` and `demo` in the profile `seed`, with the settings that the page shows."""
    user.environment |= {"MLAPI_LOCAL": "1"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        user.well("apply", "--yes", "--suffix", "demo")
        (tmp_path / "ml-api.toml").write_text("".join(_SETTINGS.findall(page.read_text())).replace(ZONE, zone_of(user)))
        user.well("apply", "--yes", "--suffix", "prod")
        is_gone = False
        for command in commands_to_run(page):
            if is_gone and not command.startswith("verify-gone"):
                user.well("apply", "--yes", "--suffix", "demo")
            is_gone = run_documented(user, command).startswith("teardown")


# The hosted zone of the page about domains.
ZONE = "Z0123456789ABCDEFGHIJ"


def zone_of(user: User) -> str:
    route53 = client(user.box.endpoint, "route53")
    zone = route53.create_hosted_zone(Name="shop.example", CallerReference="documented")["HostedZone"]
    return str(zone["Id"].rsplit("/", 1)[-1])


def run_documented(user: User, command: str) -> str:
    """Run a command as it is shown, but for the account; return it."""
    words = shlex.split(command.replace("111122223333", ACCOUNT).replace("--region eu-west-1", ""))
    asks = words[0] in _ASKS and "--yes" not in words and "--dry-run" not in words
    ran = user.run(*words[:1], *(["--yes"] if asks else []), *words[1:], local=False)
    assert ran.code in _EXIT_CODES.get(words[0], (0,)), f"{command}\n{ran.out}\n{ran.err}"
    return command
