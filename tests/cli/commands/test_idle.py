"""A stack of which only the network stands, and one whose tasks have all stopped: what each verb says."""

from __future__ import annotations

import dataclasses
import shlex

import pytest

from provisioner.emulator.server import LocalAws
from tests.cli.commands.table import ROWS, Row
from tests.cli.commands.test_failures import WAYS, Way, explained
from tests.support.live_stack import SUFFIX
from tests.support.user import ROOT, User

# What cannot be done before there is a service, a database, an address: `apply` goes on.
SERVICE = ("exec", "db tunnel", "logs", "deploy", "rollback", "releases", "restart", "scale", "run")
UNDONE = (*SERVICE, "open")


@pytest.fixture(scope="module")
def half(served: LocalAws, plugged: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> User:
    """Of this stack there is a VPC."""
    user = User.before(served, tmp_path_factory.mktemp("half") / "home")
    user.well("apply", "--yes", "--suffix", SUFFIX, "--target", "vpc/vpc")
    return dataclasses.replace(user, environment=plugged)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", UNDONE)
def test_half_a_stack_says_what_makes_the_rest(half: User, name: str, way: Way) -> None:
    row, mark = ROWS[name], half.mark()
    # A process is started with the whole path, and a hint names the program as it was typed.
    program = "cli.py" if way is Row.run else shlex.quote(str(ROOT / "cli.py"))

    ran = way(row, half, SUFFIX, *(["--yes"] if row.asks else []))

    explained(ran, 4)
    assert f"`python {program} apply --suffix {SUFFIX} --local" in ran.err
    assert ran.out == ""
    assert half.tries(mark) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "code"), [("status", 0), ("doctor", 1), ("report", 0), ("history", 0)])
def test_half_a_stack_can_be_looked_at(half: User, name: str, code: int, way: Way) -> None:
    ran = way(ROWS[name], half)

    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
