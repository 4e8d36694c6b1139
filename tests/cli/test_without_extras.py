"""Without the extra `local`, every command that needs the local AWS says how it is installed."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from provisioner import extras
from provisioner.emulator import local
from provisioner.emulator.server import LocalAws
from tests.cli.commands.table import ROWS
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.user import ROOT, CommandResult, User

MESSAGE = "The local AWS is not installed here."
# The commands that ask AWS about a stack of which nothing is known, and about one whose local AWS has ended.
STARTING = {"apply", "plan", "teardown", "verify-gone"}
STARTING_FOR_NEW = {*STARTING, "doctor", "state init", "local start"}


@pytest.fixture
def lean(served: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """A user on a machine without the local AWS."""
    monkeypatch.setattr(local, "REQUIRED_MODULES", ("no_such_module",))
    return User(served, tmp_path / "home")


def assert_refused(ran: CommandResult) -> None:
    """The command ended with one sentence, and the line that installs what is missing."""
    hint = f"Install it with `{extras.install_command('local')}`, then run the same command again."
    assert (ran.code, ran.out, ran.err) == (5, "", f"Error: {MESSAGE}\n{hint}\n")


@pytest.mark.parametrize("name", ROWS)
def test_a_command_says_how_the_local_aws_is_installed(lean: User, name: str) -> None:
    ran = ROWS[name].run(lean, "a")

    if name in STARTING_FOR_NEW:
        assert_refused(ran)
    else:
        assert MESSAGE not in ran.err


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.of_a_stack])
def test_so_does_one_about_a_stack_whose_local_aws_has_ended(lean: User, live_stack: LiveStack, name: str) -> None:
    lean.ledger(SUFFIX).parent.mkdir(parents=True)
    lean.ledger(SUFFIX).write_text(live_stack.desk.ledger(SUFFIX).read_text())

    ran = ROWS[name].run(lean)

    if name in STARTING:
        assert_refused(ran)
    else:
        assert MESSAGE not in ran.err


def test_json_carries_the_same_sentence(lean: User) -> None:
    (error,) = lean.run("plan", "--suffix", "a", "--json").lines

    assert error["message"] == MESSAGE
    assert "[local]" in error["hint"]


def test_the_command_is_for_this_environment_and_this_checkout() -> None:
    words = shlex.split(extras.install_command("local"))

    assert words == [sys.executable, "-m", "pip", "install", "-e", f"{ROOT}[local]"]


def test_an_environment_of_uv_has_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: find_spec(name) if name != "pip" else None)

    assert extras.install_command("local").startswith(f"uv pip install --python {sys.executable} -e ")


def test_pipx_adds_it_to_its_own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pipx_metadata.json").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    assert extras.install_command("local").startswith("pipx inject ml-api-provisioner ")
