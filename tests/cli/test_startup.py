"""What a command must not wait for: the packages that only a call to AWS needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from provisioner.commands.command_table import HELP
from tests.support.user import ROOT

SLOW = ("boto3", "botocore", "jinja2", "moto", "pydantic", "rich", "tenacity")
MODULES = [f"provisioner.commands.{name.replace('-', '_')}" for name in HELP]
LOOK = f"""
import sys
sys.argv[0] = "ml-api"
from provisioner.commands.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print([name for name in {MODULES} if name in sys.modules], file=sys.stderr)
print([name for name in {SLOW} if name in sys.modules], file=sys.stderr)
"""


def imported(*arguments: str, **environment: str) -> str:
    """Which of the slow packages a command imports."""
    return lists_of_imported(arguments, environment)[-1]


def commands_imported(*arguments: str, **environment: str) -> str:
    """Which modules of commands a command imports."""
    return lists_of_imported(arguments, environment)[-2]


def lists_of_imported(arguments: tuple[str, ...], environment: dict[str, str]) -> list[str]:
    """Which modules of commands, and which slow packages, a command imports: a line for each list."""
    command = [sys.executable, "-c", LOOK, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr
    return ran.stderr.splitlines()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in HELP)], ids=" ".join)
def test_help_and_version_wait_for_nothing(arguments: list[str]) -> None:
    assert imported(*arguments) == "[]"


def test_completion_waits_for_nothing() -> None:
    environment = {"_ML_API_COMPLETE": "bash_complete", "COMP_WORDS": "ml-api ap", "COMP_CWORD": "1"}

    assert imported(**environment) == "[]"


def test_help_takes_at_most_150_milliseconds() -> None:
    seconds = []
    for _ in range(5):  # of the processor: how long a person waits depends on what else the machine does
        before = os.times()
        subprocess.run([sys.executable, "cli.py", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)

    assert 0 < min(seconds) <= 0.15


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_help_and_version_import_no_command(arguments: list[str]) -> None:
    assert commands_imported(*arguments) == "[]"


def test_completing_the_name_of_a_command_imports_none() -> None:
    typed = {"_ML_API_COMPLETE": "bash_complete", "COMP_WORDS": "ml-api d", "COMP_CWORD": "1"}

    assert commands_imported(**typed) == "[]"


def test_a_command_imports_its_own_module() -> None:
    assert "provisioner.commands.outputs" in commands_imported("outputs", "--help")


@pytest.mark.parametrize(
    ("arguments", "makes_page"),
    [("plan --offline", False), ("graph", False), ("graph --format svg", True), ("graph --format svg-graph", True)],
)
def test_only_a_page_or_a_picture_imports_the_templates(arguments: str, makes_page: bool) -> None:
    assert ("jinja2" in imported(*arguments.split(), "--suffix", "a", MLAPI_PROFILE="seed")) == makes_page
