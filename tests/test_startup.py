"""What a command must not wait for: the packages that only a call to AWS needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.user import ROOT

SLOW = ("boto3", "botocore", "moto", "pydantic", "rich", "tenacity")
LOOK = f"""
import sys
sys.argv[0] = "ml-api"
import cli
try:
    cli.main(sys.argv[1:])
except SystemExit:
    pass
print([name for name in {SLOW} if name in sys.modules], file=sys.stderr)
"""


def imported(*arguments: str, **environment: str) -> str:
    """Which of the slow packages a command imports."""
    command = [sys.executable, "-c", LOOK, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr
    return ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["apply", "--help"]], ids=" ".join)
def test_help_and_version_wait_for_nothing(arguments: list[str]) -> None:
    assert imported(*arguments) == "[]"


def test_completion_waits_for_nothing() -> None:
    environment = {"_ML_API_COMPLETE": "bash_complete", "COMP_WORDS": "ml-api ap", "COMP_CWORD": "1"}

    assert imported(**environment) == "[]"
