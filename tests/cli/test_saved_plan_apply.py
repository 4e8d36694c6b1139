"""A plan that was kept is applied exactly, and keeps no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_saved_plans import kept
from tests.support.live_stack import SUFFIX
from tests.support.user import User


@pytest.mark.slow
def test_a_plan_of_a_stack_that_does_not_exist_is_applied_without_a_question(user: User, tmp_path: Path) -> None:
    path = kept(user, tmp_path / "plan", "--set", "network.nat=per_zone")
    told = json.loads(path.read_text())

    ran = user.run("apply", str(path))

    assert ran.code == 0, ran.err
    assert path.stat().st_mode & 0o777 == 0o600
    made = {name for name, change in told["changes"].items() if change["action"] == "create"}
    assert made == user.known(SUFFIX)["entries"].keys()
    assert user.plan(SUFFIX, "--set", "network.nat=per_zone") == "No changes.\n"
    again = user.run("apply", str(path))
    assert again.code == 5
    assert "state file: none -> " in again.err


def test_no_secret_is_in_it(user: User, tmp_path: Path) -> None:
    user.environment["DB_PASSWORD"] = "hush-hush-hush"
    path = kept(user, tmp_path / "plan", "--set", 'container.environment={"TOKEN": "very-hush"}')

    assert "hush" not in path.read_text()
    forgotten = user.run("apply", str(path))
    assert forgotten.code == 5
    assert 'setting container.environment: {"TOKEN": "(set)"} -> {}' in forgotten.err
    assert user.acts() == []
